import type { ReplayQueries, ReplayRow } from '@posthorn/store'
import type { ReplayPosition, ReplaySelection } from '@posthorn/webhook'
import { deliveriesOf, type Selector, type Step, type WebhookVersions } from './selector.js'

type Of<K extends ReplaySelection['kind']> = Extract<ReplaySelection, { kind: K }>

/** Deliveries that were named one by one, in the order in which they were. */
export class NamedSelector implements Selector {
  constructor(
    private readonly replay: ReplayRow,
    private readonly selection: Of<'deliveries'>,
    private readonly history: Pick<ReplayQueries, 'named'>,
    private readonly versions: WebhookVersions,
  ) {}

  async begin() {
    return { position: { kind: 'deliveries', next: 0 } as const, total: this.selection.ids.length }
  }

  async step(position: ReplayPosition, limit: number): Promise<Step> {
    if (position.kind !== 'deliveries') throw new Error(`a position of ${position.kind} is none of deliveries`)
    const { ids } = this.selection
    const part = ids.slice(position.next, position.next + limit)
    const { found } = await deliveriesOf(this.replay, await this.history.named(this.replay.tenant, part), this.versions)
    const next = position.next + part.length
    const skipped = part.length - found.length
    return { found, examined: part.length, skipped, position: { kind: 'deliveries', next }, over: next >= ids.length }
  }

  async close(): Promise<void> {}
}

/** Deliveries of the history that fit a filter, in the order of acceptance. */
export class HistorySelector implements Selector {
  constructor(
    private readonly replay: ReplayRow,
    private readonly selection: Of<'history'>,
    private readonly history: Pick<ReplayQueries, 'page' | 'count'>,
    private readonly versions: WebhookVersions,
  ) {}

  async begin() {
    const { tenant, id } = this.replay
    return { position: { kind: 'history' } as const, total: await this.history.count(tenant, id, this.selection) }
  }

  async step(position: ReplayPosition, limit: number): Promise<Step> {
    if (position.kind !== 'history') throw new Error(`a position of ${position.kind} is none of the history`)
    const { tenant, id } = this.replay
    const candidates = await this.history.page(tenant, id, this.selection, position.after, limit)
    const { found, skipped } = await deliveriesOf(this.replay, candidates, this.versions)
    const last = candidates.at(-1)
    return {
      found,
      skipped,
      examined: candidates.length,
      position: last ? { kind: 'history', after: { acceptedAt: last.acceptedAt.getTime(), id: last.id } } : position,
      over: candidates.length < limit,
    }
  }

  async close(): Promise<void> {}
}

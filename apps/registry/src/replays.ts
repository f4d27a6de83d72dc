import { randomBytes } from 'node:crypto'
import {
  ApiError,
  replaySelection,
  type Caller,
  type CreateReplayBody,
  type ErrorCode,
  type ListReplaysQuery,
  type ListView,
  type PatchReplayBody,
  type ReplayView,
} from '@posthorn/api'
import type { ReplayChange, ReplayQueries, ReplayRow, Replays, Webhooks } from '@posthorn/store'
import { replayId, type ReplaySelection } from '@posthorn/webhook'
import { audited } from './auditing.js'
import { pageView, placeOf, type CursorShape } from './cursor.js'
import type { TenantCases } from './tenants.js'
import { found as foundWebhook } from './webhooks.js'

const ID = /^replay_[0-9a-z]{26}$/
const CURSOR: CursorShape = { list: 'replays', fields: { createdAt: 'time', id: 'text' } }

/** What can be done with replays. The replayers do the work: they look for it every second. */
export class ReplayCases {
  constructor(
    private readonly replays: Replays,
    private readonly history: Pick<ReplayQueries, 'unknown' | 'discarded'>,
    private readonly webhooks: Pick<Webhooks, 'get'>,
    private readonly tenants: Pick<TenantCases, 'require'>,
  ) {}

  async create(caller: Caller, body: CreateReplayBody): Promise<ReplayView> {
    const { tenant } = caller
    await this.tenants.require(tenant)
    const now = Date.now()
    const selection = replaySelection(body, now)
    await this.check(tenant, selection)
    const row = await this.replays.insert(
      { id: replayId(now, randomBytes(10)), tenant, selection, dryRun: body.dry_run, rate: body.rate },
      audited(caller, tenant, 'replay.created', replayView),
    )
    return replayView(row)
  }

  async list({ tenant }: Caller, { limit, cursor, status }: ListReplaysQuery): Promise<ListView<ReplayView>> {
    await this.tenants.require(tenant)
    const page = await this.replays.list(tenant, { status, limit, after: placeOf(CURSOR, cursor) })
    return pageView(CURSOR, page, replayView)
  }

  async get({ tenant }: Caller, id: string): Promise<ReplayView> {
    await this.tenants.require(tenant)
    return replayView(found(id, ID.test(id) ? await this.replays.get(tenant, id) : undefined))
  }

  change(caller: Caller, id: string, { rate }: PatchReplayBody): Promise<ReplayView> {
    return this.apply(caller, id, 'replay.updated', () => (rate === undefined ? {} : { rate }))
  }

  pause(caller: Caller, id: string): Promise<ReplayView> {
    return this.apply(caller, id, 'replay.paused', () => ({ status: 'paused' }))
  }

  resume(caller: Caller, id: string): Promise<ReplayView> {
    return this.apply(caller, id, 'replay.resumed', ({ status }) => (status === 'paused' ? { status: 'queued' } : {}))
  }

  cancel(caller: Caller, id: string): Promise<ReplayView> {
    return this.apply(caller, id, 'replay.cancelled', () => ({ status: 'cancelled' }))
  }

  /** A replay that could send nothing is refused at once. */
  private async check(tenant: string, selection: ReplaySelection): Promise<void> {
    if (selection.kind === 'deliveries') return this.checkDeliveries(tenant, selection.ids)
    const { webhook } = selection
    if (webhook === undefined) return
    const row = foundWebhook(webhook, await this.webhooks.get(tenant, webhook))
    if (row.status === 'disabled') throw new ApiError('webhook_disabled', 'The webhook is disabled.')
  }

  private async checkDeliveries(tenant: string, ids: readonly string[]): Promise<void> {
    refuseIds('delivery_not_found', ids, await this.history.unknown(tenant, ids), 'is not in the history')
    refuseIds('dead_letter_discarded', ids, await this.history.discarded(tenant, ids), 'was discarded')
  }

  private async apply(
    caller: Caller,
    id: string,
    action: string,
    decide: (row: ReplayRow) => ReplayChange,
  ): Promise<ReplayView> {
    const { tenant } = caller
    await this.tenants.require(tenant)
    const trail = audited(caller, tenant, action, replayView)
    return replayView(found(id, ID.test(id) ? await this.replays.change(tenant, id, decide, trail) : undefined))
  }
}

/** Throws ApiError that names each of the ids at fault. */
export function refuseIds(code: ErrorCode, ids: readonly string[], faults: readonly string[], why: string): void {
  const [first, ...more] = faults.map(id => ({ pointer: `/deliveries/${ids.indexOf(id)}`, message: `${why}: ${id}` }))
  if (!first) return
  const rest = more.length > 0 ? ` (and ${more.length} more)` : ''
  throw new ApiError(code, `${first.pointer} ${first.message}${rest}.`, [first, ...more])
}

function found(id: string, row: ReplayRow | undefined): ReplayRow {
  if (!row) throw new ApiError('replay_not_found', `There is no replay "${id.slice(0, 100)}".`)
  return row
}

const NOTHING = {
  deliveries: null,
  source: null,
  webhook: null,
  event_type: null,
  delivery_status: null,
  from: null,
  to: null,
} as const

function selectionView(
  selection: ReplaySelection,
): Pick<ReplayView, 'deliveries' | 'source' | 'webhook' | 'event_type' | 'delivery_status' | 'from' | 'to'> {
  switch (selection.kind) {
    case 'deliveries':
      return { ...NOTHING, deliveries: selection.ids }
    case 'history': {
      const { webhook = null, type = null, status, from = null, to } = selection
      return { ...NOTHING, source: 'history', webhook, event_type: type, delivery_status: status, from, to }
    }
    case 'log': {
      const { webhook, from, to } = selection
      return { ...NOTHING, source: 'log', webhook, from, to }
    }
  }
}

function replayView(row: ReplayRow): ReplayView {
  const { id, status, selection, dryRun, rate, total, examined, matched, sent, skipped, failure } = row
  return {
    id,
    status,
    ...selectionView(selection),
    dry_run: dryRun,
    rate,
    total,
    examined,
    matched,
    sent,
    skipped,
    failure,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    finished_at: row.finishedAt && row.finishedAt.toISOString(),
  }
}

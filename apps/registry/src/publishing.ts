import type { OutboxKind } from '@posthorn/store'
import type { Relay } from './relay.js'
import type { TableTails } from './table-tails.js'

/** With Kafka away a change is answered all the same: it is committed, and published later. */
const PUBLISHED_WITHIN_MS = 2000

/** Has changes published as soon as they are committed. */
export class Publishing {
  constructor(
    private readonly relay: Pick<Relay, 'wake'>,
    private readonly tails: Pick<TableTails, 'of'>,
  ) {}

  /** Resolves when the version can be read by everybody, or when that takes too long to wait for. */
  async published(kind: OutboxKind, { id, version }: { readonly id: string; readonly version: number }): Promise<void> {
    this.relay.wake()
    await this.tails.of(kind).waitFor(id, version, PUBLISHED_WITHIN_MS)
  }
}

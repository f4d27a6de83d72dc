import {
  attemptedRow,
  attemptRow,
  counterRows,
  eventRow,
  pendingRow,
  poisonRow,
  type AttemptRow,
  type CounterRow,
  type DeliveryRow,
  type EventRow,
  type HistoryEntry,
  type PoisonRow,
} from './history-entries.js'

/** Rows of one transaction: at most one for each key, as `on conflict do update` demands. */
export interface HistoryBatch {
  readonly events: EventRow[]
  readonly deliveries: DeliveryRow[]
  readonly attempts: AttemptRow[]
  readonly counters: CounterRow[]
  readonly poison: PoisonRow[]
}

/** A clock ahead by more than this would make partitions of a far future that retention never reaches. */
const MAX_AHEAD_MS = 48 * 3600_000

/**
 * Merges entries into rows. A delivery is the greatest of all that was said about it, in the order
 * of `deliveryRank`, so it does not matter what comes first. Rows of days before `oldestDay` are
 * left out: retention would drop them at once.
 */
export function foldEntries(entries: Iterable<HistoryEntry>, oldestDay: string, now: number): HistoryBatch {
  const fold = new Fold(oldestDay, new Date(now + MAX_AHEAD_MS).toISOString().slice(0, 10))
  for (const entry of entries) fold.add(entry)
  return fold.batch()
}

class Fold {
  private readonly events = new Map<string, EventRow>()
  private readonly deliveries = new Map<string, DeliveryRow>()
  private readonly attempts = new Map<string, AttemptRow>()
  private readonly counters = new Map<string, CounterRow>()
  private readonly poison = new Map<string, PoisonRow>()

  constructor(
    private readonly oldestDay: string,
    private readonly newestDay: string,
  ) {}

  add(entry: HistoryEntry): void {
    switch (entry.kind) {
      case 'event': {
        const row = eventRow(entry.event, entry.data, entry.acceptedAt)
        this.keep(this.events, keyOf(row.tenant, row.id, row.source, row.day), row, () => false)
        return
      }
      case 'delivery':
        return this.addDelivery(pendingRow(entry.delivery))
      case 'attempt':
        this.addAttempt(entry)
        for (const row of counterRows(entry.attempt)) this.count(row)
        return
      case 'dead-letter':
        return this.addAttempt(entry)
      case 'poison': {
        const row = poisonRow(entry.head, entry.value, entry.tenant)
        this.keep(this.poison, keyOf(row.at, row.topic, row.partition, row.offset), row, () => false)
        return
      }
      case 'nothing':
        return
    }
  }

  /** Sorted by key: two writers then take row locks in the same order and cannot deadlock. */
  batch(): HistoryBatch {
    return {
      events: sorted(this.events),
      deliveries: sorted(this.deliveries),
      attempts: sorted(this.attempts),
      counters: sorted(this.counters),
      poison: sorted(this.poison),
    }
  }

  private addDelivery(row: DeliveryRow): void {
    this.keep(this.deliveries, keyOf(row.id, row.day), row, exceeds(deliveryRank))
  }

  private addAttempt({ attempt }: Extract<HistoryEntry, { kind: 'attempt' | 'dead-letter' }>): void {
    const row = attemptRow(attempt)
    this.keep(this.attempts, keyOf(row.delivery, row.run, row.attempt, row.day), row, exceeds(attemptRank))
    this.addDelivery(attemptedRow(attempt))
  }

  private count(row: CounterRow): void {
    const key = keyOf(row.tenant, row.webhook, row.minute, row.outcome)
    const known = this.counters.get(key)
    if (known) {
      known.count += row.count
      known.durationMs += row.durationMs
      known.longestMs = Math.max(known.longestMs, row.longestMs)
    } else this.keep(this.counters, key, row, () => false)
  }

  private keep<Row extends { readonly day: string }>(
    rows: Map<string, Row>,
    key: string,
    row: Row,
    replaces: (row: Row, known: Row) => boolean,
  ): void {
    if (row.day > this.newestDay) throw new RangeError(`${row.day} is in the future: check the clock of the sender`)
    if (row.day < this.oldestDay) return
    const known = rows.get(key)
    if (known === undefined || replaces(row, known)) rows.set(key, row)
  }
}

type Rank = readonly (string | number | boolean)[]

/**
 * What stands: the later run (live is "0", and ids of jobs grow), in it the higher attempt, of that
 * a final outcome, then the later one. The writer's SQL compares the same, in the same order.
 */
function deliveryRank(row: DeliveryRow): Rank {
  return [row.run, row.attempts, row.status !== 'pending' && row.status !== 'retry', row.updatedAt]
}

/** Of copies of one attempt (sent again after a crash) a final outcome stands, then the later one. */
function attemptRank(row: AttemptRow): Rank {
  return [row.outcome !== 'retry', row.finishedAt]
}

function exceeds<Row>(rank: (row: Row) => Rank): (row: Row, known: Row) => boolean {
  return (row, known) => {
    const other = rank(known)
    for (const [index, part] of rank(row).entries()) if (part !== other[index]) return part > other[index]!
    return false
  }
}

function keyOf(...parts: (string | number)[]): string {
  return parts.join('\u0000')
}

function sorted<Row>(rows: ReadonlyMap<string, Row>): Row[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, row]) => row)
}

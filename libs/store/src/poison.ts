import { appendAudit, type AuditedChange } from './audit.js'
import type { Database } from './data-source.js'
import { POISON_COLUMNS } from './history-lists.js'
import type { PoisonRecord } from './history-records.js'

/** Which record was set aside. */
export interface PoisonPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** When the log took the record, ms since the epoch: a log that is made anew has the same offsets again. */
  readonly at: number
}

/** Who a claim of a redrive is kept from; a process that was killed with one holds it no longer than this. */
const CLAIMED = "interval '30 seconds'"
const OF = `day = ($4::timestamptz at time zone 'UTC')::date and at = $4 and topic = $1 and partition = $2 and "offset" = $3`

/** Single records of poison, and their redrive. */
export class Poison {
  constructor(private readonly database: Database) {}

  /** With its whole value. */
  async get(place: PoisonPlace): Promise<PoisonRecord | undefined> {
    const [row] = (await this.database.manager.query(
      `select ${POISON_COLUMNS}, value from history_poison where ${OF}`,
      keyOf(place),
    )) as PoisonRecord[]
    return row
  }

  /** Whether the caller may redrive it now: it was not redriven, and nobody is about to. */
  async claim(place: PoisonPlace): Promise<boolean> {
    const claimed = (await this.database.manager.query(
      `with claimed as (
         update history_poison set claimed_until = now() + ${CLAIMED}
         where ${OF} and redriven_at is null and (claimed_until is null or claimed_until < now())
         returning 1)
       select * from claimed`,
      keyOf(place),
    )) as unknown[]
    return claimed.length > 0
  }

  /** It was not put back: it may be claimed again at once. */
  async release(place: PoisonPlace): Promise<void> {
    await this.database.manager.query(
      `update history_poison set claimed_until = null where ${OF} and redriven_at is null`,
      keyOf(place),
    )
  }

  /** Its topic has it again: says so on the record, and in the audit, in one transaction. Throws ClaimTaken. */
  async redriven(
    place: PoisonPlace,
    by: string,
    audited: (after: PoisonRecord) => AuditedChange,
  ): Promise<PoisonRecord> {
    return this.database.manager.transaction(async tx => {
      const [row] = (await tx.query(
        `with marked as (
           update history_poison set redriven_at = now(), redriven_by = $5, claimed_until = null where ${OF} returning *)
         select ${POISON_COLUMNS}, value from marked`,
        [...keyOf(place), by],
      )) as PoisonRecord[]
      if (!row) throw new Error(`the poison of ${place.topic}/${place.partition}/${place.offset} is gone`)
      await appendAudit(tx, audited(row))
      return row
    })
  }
}

function keyOf({ topic, partition, offset, at }: PoisonPlace): unknown[] {
  return [topic, partition, offset, new Date(at).toISOString()]
}

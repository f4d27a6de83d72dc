import type { ConsumedRecord, PartitionClaim, RecordBatch } from '@posthorn/kafka'

/** A record, and the claim to tell when it is in the history. */
export interface Taken {
  readonly claim: PartitionClaim
  readonly record: ConsumedRecord
}

/** Beyond this, larger batches gain nothing measurable, and each row lies in memory until it is written. */
const MAX_ROWS = 2_500
/** A batch lies three times in memory while it is written: records, one joined buffer, the socket's. */
const MAX_BYTES = 4 * 1024 * 1024
/** How long the first record of a batch waits for others. */
const LINGER_MS = 100

/** What waits to be written, and when a batch of it is to be closed: full, or old enough. */
export class OpenBatch {
  private waiting: Taken[] = []
  private bytes = 0
  private openedAt = 0
  private hurried = false
  private wake?: () => void

  get isEmpty(): boolean {
    return this.waiting.length === 0
  }

  /** Append time of the oldest record that waits, in ms. */
  get oldest(): number | undefined {
    return oldestOf(this.waiting)
  }

  add({ claim, records }: RecordBatch): void {
    if (this.isEmpty) this.openedAt = performance.now()
    for (const record of records) {
      this.waiting.push({ claim, record })
      this.bytes += sizeOf(record)
    }
    if (this.isFull) this.wake?.()
  }

  /** From now on batches close at once. */
  hurry(): void {
    this.hurried = true
    this.wake?.()
  }

  /** Resolves with the next batch when it closes; what a claim has lost meanwhile is left out, for its next owner. */
  async close(): Promise<readonly Taken[]> {
    const rest = this.openedAt + LINGER_MS - performance.now()
    if (rest > 0 && !this.isFull && !this.hurried) await this.sleep(rest)
    const batch = this.waiting.slice(0, this.fitting())
    this.waiting = this.waiting.slice(batch.length)
    for (const { record } of batch) this.bytes -= sizeOf(record)
    return batch.filter(({ claim }) => !claim.revoked.aborted)
  }

  private get isFull(): boolean {
    return this.waiting.length >= MAX_ROWS || this.bytes >= MAX_BYTES
  }

  /** How many of those that wait go into one batch; one does whatever its size. */
  private fitting(): number {
    const limit = Math.min(this.waiting.length, MAX_ROWS)
    let bytes = 0
    for (let n = 0; n < limit; n++) {
      bytes += sizeOf(this.waiting[n]!.record)
      if (bytes > MAX_BYTES) return Math.max(1, n)
    }
    return limit
  }

  private sleep(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms)
      this.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

export function oldestOf(taken: readonly Taken[]): number | undefined {
  let oldest: number | undefined
  for (const { record } of taken) if (oldest === undefined || record.timestamp < oldest) oldest = record.timestamp
  return oldest
}

function sizeOf(record: ConsumedRecord): number {
  return record.value?.length ?? 0
}

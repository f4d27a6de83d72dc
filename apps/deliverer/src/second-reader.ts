import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import {
  OffsetGone,
  PartitionReader,
  type ConsumedRecord,
  type FetchedRecords,
  type KafkaConnection,
} from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import { DELIVERIES } from '@posthorn/topics'
import type { Parking } from './parking.js'
import type { Work } from './work.js'

/** Between two fetches: live traffic comes first, and 20 MiB/s are enough for what was parked. */
const PACE_MS = 50
const RETRY_MS = 200
/** A connection without use is kept for so long, because the next probe is near. */
const IDLE_MS = 10_000
/** Records are looked at so many at a time, then answers and requests get their turn. */
const SLICE = 256

export interface SecondReaderParts {
  readonly connection: KafkaConnection
  readonly logger: Logger
}

/** Reads one partition of deliveries.v1 again for all that is parked there, as long as there is any. */
export class SecondReader {
  private reader: PartitionReader | undefined
  /** Of the log, when the reader was opened: what a fetch tells may be too low; see PartitionReader. */
  private endAtOpening = 0
  private running = false

  constructor(
    private readonly parts: SecondReaderParts,
    private readonly partition: number,
    private readonly parking: Parking<Work>,
    private readonly revoked: AbortSignal,
    /** Undefined: the record is no delivery. */
    private readonly toWork: (record: ConsumedRecord) => Work | undefined,
  ) {}

  /** Goes on if there is something to read; rejects never. */
  async wake(): Promise<void> {
    if (this.running || this.revoked.aborted || this.parking.readFrom(Date.now()) === undefined) return
    this.running = true
    try {
      await this.read()
    } catch (error) {
      this.parts.logger.debug({ err: error, partition: this.partition }, 'reading again failed: it is tried again')
      await this.reader?.recover(error).catch(() => undefined)
      await sleep(RETRY_MS)
    } finally {
      this.running = false
      if (this.revoked.aborted) await this.close()
    }
  }

  async close(): Promise<void> {
    const { reader } = this
    this.reader = undefined
    await reader?.close().catch(() => undefined)
  }

  private async read(): Promise<void> {
    let idleSince = Date.now()
    while (!this.revoked.aborted && Date.now() - idleSince < IDLE_MS) {
      const from = this.parking.readFrom(Date.now())
      if (from !== undefined) {
        await this.tell(from)
        idleSince = Date.now()
      }
      await sleep(PACE_MS)
    }
    await this.close()
  }

  private async tell(from: number): Promise<void> {
    this.reader ??= await this.opened()
    const fetched = await this.fetch(this.reader, from)
    if (!fetched) return
    const { messages, next } = fetched
    const end = Math.max(fetched.end, this.endAtOpening)
    let at = from
    for (let i = 0; i < Math.max(1, messages.length); i += SLICE) {
      if (this.revoked.aborted) return
      this.parking.open(at, Number(messages[i]?.timestamp ?? Date.now()), Date.now())
      for (const message of messages.slice(i, i + SLICE)) this.give(message)
      at = i + SLICE >= messages.length ? next : Number(messages[i + SLICE]!.offset)
      this.parking.readTo(at, end, Date.now())
      await nextTurn()
    }
  }

  private give({ key, value, offset: at, timestamp }: FetchedRecords['messages'][number]): void {
    const offset = Number(at)
    if (!key || !this.parking.wants(key.toString(), offset)) return
    const work = this.toWork({
      key: Buffer.from(key),
      value: value && Buffer.from(value),
      headers: {},
      timestamp: Number(timestamp),
      topic: DELIVERIES,
      partition: this.partition,
      offset,
    })
    if (work) this.parking.again(work, Date.now())
  }

  private async fetch(reader: PartitionReader, from: number): Promise<FetchedRecords | undefined> {
    try {
      return await reader.fetch(from, 0)
    } catch (error) {
      if (!(error instanceof OffsetGone)) throw error
      const start = await reader.start()
      const known = this.parking.readLost(start, Date.now())
      this.parts.logger.error(
        { alert: 'parked_lost', partition: this.partition, from, start, known },
        'retention has removed records that were parked',
      )
      return undefined
    }
  }

  private async opened(): Promise<PartitionReader> {
    const { connection } = this.parts
    const reader = new PartitionReader(connection, connection.topic(DELIVERIES), this.partition)
    try {
      await reader.open()
      this.endAtOpening = await reader.end()
    } catch (error) {
      await reader.close().catch(() => undefined)
      throw error
    }
    return reader
  }
}

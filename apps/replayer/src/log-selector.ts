import { OffsetGone, PartitionReader, type KafkaConnection } from '@posthorn/kafka'
import type { ReplayQueries, ReplayRow, WebhookRow } from '@posthorn/store'
import { decodeEvent, EVENTS } from '@posthorn/topics'
import {
  deliveryId,
  SubscriptionIndex,
  type LogRange,
  type ReplayPosition,
  type ReplaySelection,
  type WebhookEvent,
} from '@posthorn/webhook'
import { setTimeout as sleep } from 'node:timers/promises'
import { LogAway, ReplayImpossible, replayed, type Found, type Selector, type Step } from './selector.js'

export interface LogParts {
  readonly connection: KafkaConnection
  readonly history: Pick<ReplayQueries, 'settled' | 'refused'>
  /** Undefined when it was deleted. */
  webhook(tenant: string, id: string): Promise<WebhookRow | undefined>
  readonly defaultTenant: string | undefined
  readonly maxEventBytes: number
}

/** An event of the log that the webhook takes. */
interface Match {
  readonly event: WebhookEvent
  readonly data: Buffer
  readonly offset: number
  readonly acceptedAt: number
}

type Message = Awaited<ReturnType<PartitionReader['fetch']>>['messages'][number]

/** A step without matches ends all the same, so that progress is saved and orders are heard. */
const MOST_EXAMINED = 5_000
const FETCH_WAIT_MS = 500
/** By then the history tells of what live traffic did with the last events. */
const HISTORY_LAG_MS = 3_000

/**
 * Events of the log, matched against one webhook as it is now, partition after partition and in each in
 * the order of the log. What the router refused of them is left out, by what the history has of poison.
 */
export class LogSelector implements Selector {
  private open: { readonly partition: number; readonly reader: PartitionReader } | undefined
  /** Fetched and not looked at yet. */
  private ahead: readonly Message[] = []

  constructor(
    private readonly replay: ReplayRow,
    private readonly selection: Extract<ReplaySelection, { kind: 'log' }>,
    private readonly parts: LogParts,
  ) {}

  async begin() {
    const { connection } = this.parts
    const [from, to] = [Date.parse(this.selection.from), Date.parse(this.selection.to)]
    await sleep(Math.max(0, to + HISTORY_LAG_MS - Date.now()))
    const topic = connection.topic(EVENTS)
    const offsets = (time: number) =>
      connection.withAdmin(admin => admin.fetchTopicOffsetsByTimestamp(topic, time)).catch(away)
    const [starts, ends] = [await offsets(from), await offsets(to)]
    const ranges = starts.flatMap(({ partition, offset }) => {
      const end = Number(ends.find(each => each.partition === partition)?.offset ?? offset)
      return end > Number(offset) ? [{ partition, next: Number(offset), end }] : []
    })
    const total = ranges.reduce((sum, { next, end }) => sum + end - next, 0)
    return { position: { kind: 'log', ranges } as const, total }
  }

  async step(position: ReplayPosition, limit: number): Promise<Step> {
    if (position.kind !== 'log') throw new Error(`a position of ${position.kind} is none of the log`)
    const [range, ...others] = position.ranges
    const webhook = await this.usable()
    if (!range) return { found: [], examined: 0, skipped: 0, position, over: true }
    const { matches, next } = await this.read(range, this.matcherOf(webhook), limit)
    const found = await this.unsettled(range.partition, matches, webhook)
    const left = next < range.end ? [{ ...range, next }, ...others] : others
    return {
      found,
      examined: next - range.next,
      skipped: matches.length - found.length,
      position: { kind: 'log', ranges: left },
      over: left.length === 0,
    }
  }

  async close(): Promise<void> {
    const { open } = this
    this.open = undefined
    this.ahead = []
    await open?.reader.close().catch(() => undefined)
  }

  private async usable(): Promise<WebhookRow> {
    const webhook = await this.parts.webhook(this.replay.tenant, this.selection.webhook)
    if (!webhook) throw new ReplayImpossible('The webhook was deleted.')
    if (webhook.status === 'disabled') throw new ReplayImpossible('The webhook was disabled.')
    return webhook
  }

  private matcherOf({ id, tenant, events, filter }: WebhookRow): (event: WebhookEvent, data: Buffer) => boolean {
    const index = new SubscriptionIndex<true>()
    const subscription = { webhook: id, tenant, events, ...(filter === null ? {} : { filter: filter as never }) }
    index.put(subscription, true)
    return (event, data) => index.match(event, data).length > 0
  }

  /** Looks at records from `range.next` on; `next` is the first that was not looked at. */
  private async read(
    range: LogRange,
    matches: (event: WebhookEvent, data: Buffer) => boolean,
    limit: number,
  ): Promise<{ readonly matches: readonly Match[]; readonly next: number }> {
    const found: Match[] = []
    let { next } = range
    const most = Math.min(range.end, next + MOST_EXAMINED)
    while (next < most && found.length < limit) {
      if (this.ahead.length === 0) next = await this.fetch(range.partition, next)
      let looked = 0
      for (const message of this.ahead) {
        const offset = Number(message.offset)
        if (offset >= range.end || found.length >= limit) break
        const match = this.eventOf(message)
        if (match && matches(match.event, match.data)) found.push(match)
        next = offset + 1
        looked++
      }
      this.ahead = next >= range.end ? [] : this.ahead.slice(looked)
      if (this.ahead.length > 0 && Number(this.ahead[0]!.offset) >= range.end) next = range.end
    }
    return { matches: found, next: Math.min(next, range.end) }
  }

  /** Fills `ahead`; where to go on: further than asked only where the log has a hole, or has lost its start. */
  private async fetch(partition: number, offset: number): Promise<number> {
    try {
      const reader = await this.readerOf(partition)
      const fetched = await reader.fetch(offset, FETCH_WAIT_MS).catch((error: unknown) => {
        if (error instanceof OffsetGone) return undefined
        throw error
      })
      if (!fetched) return Math.max(offset + 1, await reader.start())
      this.ahead = fetched.messages
      return fetched.messages.length === 0 ? fetched.next : offset
    } catch (error) {
      // Another reader asks anew who leads the partition.
      await this.close()
      return away(error)
    }
  }

  private async readerOf(partition: number): Promise<PartitionReader> {
    if (this.open?.partition === partition) return this.open.reader
    await this.close()
    const { connection } = this.parts
    const reader = new PartitionReader(connection, connection.topic(EVENTS), partition)
    this.open = { partition, reader }
    await reader.open()
    return reader
  }

  private eventOf({ key, value, headers, timestamp, offset }: Message): Match | undefined {
    const acceptedAt = Number(timestamp)
    const read = decodeEvent({ key, value, headers, timestamp: acceptedAt }, this.parts.defaultTenant)
    if (read.kind === 'bad' || read.data.length > this.parts.maxEventBytes) return undefined
    return { event: read.event, data: read.data, offset: Number(offset), acceptedAt }
  }

  private async unsettled(partition: number, matches: readonly Match[], webhook: WebhookRow): Promise<Found[]> {
    if (matches.length === 0) return []
    const { history } = this.parts
    const named = matches.map(match => ({ ...match, id: deliveryId(match.event, webhook.id) }))
    const times = matches.map(match => match.acceptedAt)
    const [settled, refused] = await Promise.all([
      history.settled(webhook.tenant, [...new Set(named.map(match => match.id))]),
      history.refused(EVENTS.name, partition, Math.min(...times), Math.max(...times)),
    ])
    return named
      .filter(({ id, offset }) => !settled.has(id) && !refused.has(offset))
      .map(({ id, event, data, offset, acceptedAt }) => ({
        delivery: replayed(this.replay, {
          id,
          webhook: webhook.id,
          webhookVersion: webhook.version,
          tenant: webhook.tenant,
          acceptedAt,
          origin: { partition, offset },
          event,
        }),
        data,
      }))
  }
}

function away(error: unknown): never {
  throw new LogAway('the log cannot be read right now', { cause: error })
}

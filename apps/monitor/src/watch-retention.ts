import { setTimeout as sleep } from 'node:timers/promises'
import type { OldestUnfinished } from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import { DELIVERIES } from '@posthorn/topics'
import { isOver, type Bounds } from '@posthorn/webhook'
import type { ParkedWebhook } from './parked-webhooks.js'
import type { RetentionMetrics, TopicAge } from './retention-metrics.js'

export interface RetentionParts {
  /** See readOldestUnfinished. */
  read(): Promise<readonly OldestUnfinished[]>
  /** Of each webhook with something parked the oldest, by the webhook's id. */
  parked(): ReadonlyMap<string, ParkedWebhook>
  now(): number
  readonly metrics: Pick<RetentionMetrics, 'found'>
  readonly logger: Pick<Logger, 'error' | 'warn' | 'info'>
}

/** Half of the retention is days: looking more often would tell nothing more. */
const EVERY_MS = 60_000
/** Shares of the retention. */
const HALF: Bounds = { over: 0.5, under: 0.4 }

/**
 * Tells once when work that is not finished has grown older than half of the time for which Kafka keeps it.
 * Every monitor does so by itself, because the database may be what the work waits for.
 */
export class RetentionWatch {
  private readonly stopping = new AbortController()
  private running: Promise<void> = Promise.resolve()
  /** By group and topic, and by webhook. */
  private over: ReadonlyMap<string, Backlog> = new Map()

  constructor(private readonly parts: RetentionParts) {}

  start(): void {
    this.running = this.run()
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.running
  }

  private async run(): Promise<void> {
    let said = false
    while (!this.stopping.signal.aborted) {
      try {
        await this.look()
        said = false
      } catch (error) {
        this.parts.metrics.found([], undefined)
        if (!said) this.parts.logger.warn({ err: error }, 'how old unfinished records are is not known')
        said = true
      }
      await sleep(EVERY_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined)
    }
  }

  /** One look. Rejects while Kafka is away. */
  async look(): Promise<void> {
    const found = await this.parts.read()
    const now = this.parts.now()
    const ages = found.flatMap(one => ageOf(one, now))
    const kept = found.find(({ topic }) => topic === DELIVERIES)?.retentionMs
    const parked = kept === undefined ? [] : [...this.parts.parked().values()].map(place => parkedOf(place, kept, now))
    const oldest = kept === undefined ? undefined : Math.max(0, ...parked.map(({ used }) => used))
    this.parts.metrics.found(ages, oldest)
    this.judge([...ages.map(topicOf), ...parked])
  }

  private judge(backlogs: readonly Backlog[]): void {
    const over = new Map<string, Backlog>()
    for (const backlog of backlogs)
      if (isOver(this.over.has(backlog.id), backlog.used, HALF)) over.set(backlog.id, backlog)
    for (const [id, { fields, sentence }] of over) if (!this.over.has(id)) this.parts.logger.error(fields, sentence)
    for (const [id, { fields }] of this.over)
      if (!over.has(id)) this.parts.logger.info(fields, 'less than half of the retention is used again')
    this.over = over
  }
}

/** Work that waits, and what is to be said when it has waited for too long. */
interface Backlog {
  readonly id: string
  readonly used: number
  readonly fields: Readonly<Record<string, string>>
  readonly sentence: string
}

/** Of a topic that is kept for ever nothing is lost, and nothing is told. */
function ageOf({ group, topic, record, retentionMs }: OldestUnfinished, now: number): TopicAge[] {
  if (retentionMs === undefined) return []
  const age = record ? Math.max(0, now - record.timestamp) : 0
  return [
    { group: group.name, topic: topic.name, seconds: age / 1000, used: retentionMs === 0 ? 0 : age / retentionMs },
  ]
}

function topicOf({ group, topic, used, seconds }: TopicAge): Backlog {
  return {
    id: `${group} ${topic}`,
    used,
    fields: { alert: 'retention_half_used', group, topic },
    sentence:
      `the oldest record of ${topic} that ${group} has not finished is ${hours(seconds)} h old, over half of what ` +
      `Kafka keeps: look why ${group} does not go on, or keep ${topic} for longer before it is lost`,
  }
}

function parkedOf({ webhook, since }: ParkedWebhook, kept: number, now: number): Backlog {
  const age = Math.max(0, now - since)
  return {
    id: webhook,
    used: age / kept,
    fields: { alert: 'parked_half_used', webhook },
    sentence:
      `the oldest parked record of this webhook is ${hours(age / 1000)} h old, over half of what Kafka keeps of ` +
      `${DELIVERIES.name}: resume the webhook, or see to its receiver`,
  }
}

function hours(seconds: number): number {
  return Math.floor(seconds / 3600)
}

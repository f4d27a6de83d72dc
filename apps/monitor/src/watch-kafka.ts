import { setTimeout as sleep } from 'node:timers/promises'
import type { GroupPosition, OldestUnfinished } from '@posthorn/kafka'
import type { OutsideReadings } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'
import { DELAYS, DELIVERIES, RETRY_SCHEDULER_GROUP, type TopicContract } from '@posthorn/topics'
import { TIERS, type AlertReading } from '@posthorn/webhook'
import type { ParkedWebhook } from './parked-webhooks.js'
import type { RetentionMetrics, TopicAge } from './retention-metrics.js'

export interface KafkaWatchParts {
  /** See readOldestUnfinished. */
  read(): Promise<readonly OldestUnfinished[]>
  /** See readUnderReplicated. */
  underReplicated(): Promise<ReadonlyMap<TopicContract, number>>
  /** Of each webhook with something parked the oldest, by the webhook's id. */
  parked(): ReadonlyMap<string, ParkedWebhook>
  now(): number
  readonly everySeconds: number
  readonly metrics: Pick<RetentionMetrics, 'found'>
  readonly logger: Pick<Logger, 'warn'>
}

/** What was found is old after so many looks that failed or did not come. */
const LOOKS_KEPT = 3

/** Where a group stood on a partition, and since when. */
interface Stand {
  readonly committed: number | undefined
  readonly since: number
}

/** Finds out what rules about Kafka look at: groups, delay topics, replicas, what retention may take. */
export class KafkaWatch {
  private readonly stopping = new AbortController()
  private running: Promise<void> = Promise.resolve()
  private stands: ReadonlyMap<string, Stand> = new Map()
  private found: { readonly at: number; readonly readings: OutsideReadings } | undefined

  constructor(private readonly parts: KafkaWatchParts) {}

  start(): void {
    this.running = this.run()
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.running
  }

  /** As of the last look; nothing where that is long ago. */
  readings(): OutsideReadings {
    const { everySeconds, now } = this.parts
    const isOld = this.found === undefined || now() - this.found.at > LOOKS_KEPT * everySeconds * 1000
    return isOld ? {} : this.found!.readings
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
      await sleep(this.parts.everySeconds * 1000, undefined, { signal: this.stopping.signal }).catch(() => undefined)
    }
  }

  /** One look. Rejects while Kafka is away. */
  async look(): Promise<void> {
    const found = await this.parts.read()
    const underReplicated = await this.parts.underReplicated()
    const now = this.parts.now()
    const ages = found.flatMap(one => ageOf(one, now))
    const kept = found.find(({ topic }) => topic === DELIVERIES)?.retentionMs
    const parked = kept === undefined ? [] : [...this.parts.parked().values()].map(place => parkedOf(place, kept, now))
    const oldest = kept === undefined ? undefined : Math.max(0, ...parked.map(({ value }) => value))
    this.parts.metrics.found(ages, oldest)
    this.stands = standsOf(found, this.stands, now)
    const readings: OutsideReadings = {
      retention_half_used: ages.map(retentionOf),
      parked_half_used: parked,
      retries_overdue: found.flatMap(one => overdueOf(one, now)),
      consumer_stuck: found.flatMap(one => stuckOf(one, this.stands, now)),
      under_replicated: [...underReplicated].map(([{ name: topic }, value]) => ({
        ...about(topic),
        value,
        details: { topic, partitions: value },
      })),
    }
    this.found = { at: now, readings }
  }
}

const about = (subject: string) => ({ tenant: null, webhook: null, subject })

/** Of a topic that is kept for ever nothing is lost, and nothing is told. */
function ageOf(
  { group, topic, record, heads, lag, partitions, retentionMs }: OldestUnfinished,
  now: number,
): TopicAge[] {
  if (retentionMs === undefined) return []
  const ageMs = (one: { readonly timestamp: number } | undefined) => (one ? Math.max(0, now - one.timestamp) : 0)
  const ages = Array.from(
    { length: partitions },
    (_, n) => ageMs(heads.find(({ partition }) => partition === n)) / 1000,
  )
  const age = ageMs(record)
  return [
    {
      ...{ group: group.name, topic: topic.name, seconds: age / 1000, records: lag, heads: ages },
      used: retentionMs === 0 ? 0 : age / retentionMs,
    },
  ]
}

function retentionOf({ group, topic, seconds, used }: TopicAge): AlertReading {
  return { ...about(`${group} ${topic}`), value: used, details: { group, topic, age_seconds: Math.floor(seconds) } }
}

function parkedOf({ webhook, since }: ParkedWebhook, kept: number, now: number): AlertReading {
  const age = Math.max(0, now - since)
  return { ...about(''), webhook, value: age / kept, details: { age_seconds: Math.floor(age / 1000) } }
}

/** Within a tier every record waits the same time from when it was written. */
function overdueOf({ group, topic, record }: OldestUnfinished, now: number): AlertReading[] {
  if (group !== RETRY_SCHEDULER_GROUP || !record) return []
  const tier = TIERS.find(({ name }) => DELAYS[name] === topic)
  const value = (now - record.timestamp - (tier?.delayMs ?? 0)) / 1000
  return value <= 0 ? [] : [{ ...about(topic.name), value, details: { topic: topic.name } }]
}

const nameOf = (group: string, { topic, partition }: GroupPosition) => `${group} ${topic} ${partition}`

/** In delay topics records wait for their time: only that they are overdue says anything. */
function standsOf(found: readonly OldestUnfinished[], before: ReadonlyMap<string, Stand>, now: number) {
  const stands = new Map<string, Stand>()
  for (const { group, behind, record } of found)
    if (group !== RETRY_SCHEDULER_GROUP && record)
      for (const position of behind) {
        const name = nameOf(group.name, position)
        const known = before.get(name)
        const { committed } = position
        stands.set(name, known && known.committed === committed ? known : { committed, since: now })
      }
  return stands
}

/** Of a topic the partition that has stood still for the longest time. */
function stuckOf(
  { group, topic, behind }: OldestUnfinished,
  stands: ReadonlyMap<string, Stand>,
  now: number,
): AlertReading[] {
  const still = behind.flatMap(position => {
    const stand = stands.get(nameOf(group.name, position))
    return stand ? [{ position, value: (now - stand.since) / 1000 }] : []
  })
  if (still.length === 0) return []
  const { position, value } = still.reduce((most, one) => (one.value > most.value ? one : most))
  const lag = position.end - Math.max(position.committed ?? 0, position.start)
  const details = { group: group.name, topic: topic.name, partition: position.partition, lag }
  return [{ ...about(`${group.name} ${topic.name}`), value, details }]
}

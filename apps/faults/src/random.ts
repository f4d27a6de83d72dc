import { setTimeout as sleep } from 'node:timers/promises'
import { DEAD_LETTERS, decodeDelivery, DELAYS, DELIVERIES, DUE } from '@posthorn/topics'
import type { Kafka } from 'kafkajs'
import { outOfOrder, sequencesIn } from './arrivals.js'
import { readAttempts } from './attempts-log.js'
import { balance, type Balance } from './balance.js'
import { BREAKAGES, type Scene } from './breakages.js'
import { gather } from './crowd.js'
import { GroupWatch } from './group-watch.js'
import { Ledger } from './ledger.js'
import { untilAllCommitted } from './offsets.js'
import { parkedPlaces } from './parked-places.js'
import { publishUntil, type Published } from './publishing.js'
import { brokenIn, reportOf, type Result } from './result.js'
import { Seeded } from './seeded.js'
import type { Site } from './site.js'
import { openStage, type Stage } from './stage.js'
import { readLog } from './topic-log.js'

export interface RandomOptions {
  /** The same faults in the same order at the same distances, and the same events. */
  readonly seed: number
  /** How long it publishes and breaks things; what is broken then is made whole first. */
  readonly minutes: number
  /** Goes on for longer until so many different things were broken. */
  readonly least?: number
  /** Events a second. */
  readonly rate: number
  readonly say: (line: string) => void
  /** Ends all that was started; the run then rejects. */
  readonly stopping?: AbortSignal
}

export interface RandomResult extends Result {
  readonly seed: number
  readonly events: number
  readonly balance: Balance
  /** How often each thing was broken. */
  readonly broken: ReadonlyMap<string, number>
  readonly commitsBack: readonly string[]
  /** Keys of ordered webhooks that were looked at, and what came out of order. */
  readonly sequences: number
  readonly disorder: readonly string[]
  /** Places that are parked at the end, although nothing is left to be sent. */
  readonly parked: readonly string[]
  /** How far groups were behind at the end. */
  readonly uncommitted: readonly string[]
}

const QUIET_MS = [500, 3000] as const
/** So long without an end there will be none: a tier of 2 min, a probe after 1 min and a busy machine are in it. */
const STALLED_MS = 300_000
const BEFORE_MS = 3000

/** Breaks things at random under load, on three brokers, and balances the books when all is whole again. */
export async function breakAtRandom(options: RandomOptions): Promise<RandomResult> {
  const stage = await openStage()
  try {
    return await unlessStopped(play(stage, options), options.stopping)
  } finally {
    await stage.close()
  }
}

function unlessStopped<T>(work: Promise<T>, stopping: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Error('the run was stopped'))
    if (stopping?.aborted) stop()
    stopping?.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject)
  })
}

async function play(stage: Stage, options: RandomOptions): Promise<RandomResult> {
  const { seed, minutes, rate, say } = options
  say(`seed ${seed}: ${minutes} min at ${rate} events/s`)
  const ledger = new Ledger()
  const scene: Scene = { ...stage, ledger, seeded: new Seeded(seed) }
  const members = await gather(stage.site, stage.line.port, ledger)
  // The watch asks again itself: kafkajs waits up to 30 s between two tries, and longer for the end of a call.
  const admin = stage.site.kafka.admin({ retry: { retries: 1 } })
  await admin.connect()
  const watch = new GroupWatch(admin, ledger, ['router', 'deliverer'])
  const ending = new AbortController()
  try {
    const load = publishUntil(ending.signal, {
      site: stage.site,
      members,
      seeded: new Seeded(seed + 1),
      perSecond: rate,
    })
    const broken = await Promise.race([breakAll(scene, options), load.then(() => new Map<string, number>())])
    ending.abort()
    const published = await load
    say(`${published.events} events are published; waiting for their ends`)
    const ended = await settle(stage.site, ledger, published, say)
    return { ...ended, seed, events: published.events, broken, commitsBack: await watch.stop() }
  } finally {
    ending.abort()
    await watch.stop()
    await admin.disconnect()
  }
}

/** Rounds of all breakages, each shuffled anew. */
async function breakAll(scene: Scene, { minutes, least = 0, say }: RandomOptions): Promise<Map<string, number>> {
  const { seeded } = scene
  const counts = new Map<string, number>()
  const endsAt = performance.now() + minutes * 60_000
  await sleep(BEFORE_MS)
  const goesOn = () => performance.now() < endsAt || counts.size < least
  while (goesOn())
    for (const { name, run } of seeded.shuffled(BREAKAGES)) {
      if (!goesOn()) break
      say(`${new Date().toISOString()} ${name}`)
      await run(scene)
      counts.set(name, (counts.get(name) ?? 0) + 1)
      await sleep(seeded.between(...QUIET_MS))
    }
  return counts
}

/** Waits until every delivery has its end and every group stands at the ends of its topics, or nothing moves any more. */
async function settle(site: Site, ledger: Ledger, { deliveries: wanted }: Published, say: (line: string) => void) {
  let fewest = Number.POSITIVE_INFINITY
  let movedAt = performance.now()
  for (;;) {
    const left = movedAt + STALLED_MS - performance.now()
    const uncommitted = await untilAllCommitted(site.kafka, Math.max(0, left)).then(
      () => [],
      (error: unknown) => [(error as Error).message],
    )
    const records = await readAttempts(site.kafka)
    const deliveries = await readLog(site.kafka, DELIVERIES)
    const deadLetters = await readLog(site.kafka, DEAD_LETTERS)
    const balanced = balance({ wanted, ledger, attempts: records, deliveries, deadLetters })
    say(`${balanced.routed} are routed, ${balanced.pending.length} of them pending`)
    if (balanced.pending.length < fewest) movedAt = performance.now()
    fewest = Math.min(fewest, balanced.pending.length)
    if (balanced.pending.length > 0 && performance.now() < movedAt + STALLED_MS) continue
    const audit = ledger.audit([...wanted.keys()], records)
    const pending = balanced.pending.length === 0 ? [] : await lastSeen(site.kafka, balanced.pending)
    // What had to arrive is told by the balance: not all of it had to.
    const settled = { audit: { ...audit, missing: [] }, balance: { ...balanced, pending } }
    const sequences = sequencesIn(deliveries)
    const order = { sequences: sequences.length, disorder: outOfOrder(sequences, ledger) }
    const ordered = sequences.map(({ webhook }) => webhook)
    return {
      ...settled,
      ...order,
      parked: await parkedPlaces(site.kafka, ordered),
      uncommitted,
      faults: ledger.faults,
      records,
    }
  }
}

/** Where each pending delivery was put last, and when it is to leave. Each begins with the delivery's id. */
async function lastSeen(kafka: Kafka, pending: readonly string[]): Promise<string[]> {
  const found = new Map<string, { readonly at: number; readonly text: string }>()
  for (const topic of [...Object.values(DELAYS), DUE])
    for (const { value, appendedAt } of await readLog(kafka, topic)) {
      const read = decodeDelivery(value)
      if (read.kind !== 'delivery' || appendedAt < (found.get(read.delivery.id)?.at ?? 0)) continue
      const { id, attempt, spills, due } = read.delivery
      const text = `${topic.name} since ${iso(appendedAt)}, attempt ${attempt}, moved ${spills} times, due ${iso(due)}`
      found.set(id, { at: appendedAt, text })
    }
  return pending.map(each => `${each}: ${found.get(each.split(' ')[0]!)?.text ?? 'in deliveries.v1'}`)
}

const iso = (ms: number) => new Date(ms).toISOString()

export function brokenInRandom(result: RandomResult): string[] {
  const { wrong, pending } = result.balance
  return [
    ...brokenIn(result),
    ...wrong,
    ...pending.map(each => `pending: ${each}`),
    ...result.uncommitted,
    ...result.disorder,
    ...result.parked.map(each => `still parked: ${each}`),
    ...result.commitsBack.map(each => `commit went back: ${each}`),
  ]
}

export function reportOfRandom(result: RandomResult): string {
  const { seed, events, balance, broken } = result
  const ends = Object.entries(balance.ends).map(([end, count]) => `${count} ${end}`)
  const times = [...broken].map(([name, count]) => `${name} ${count}×`)
  const made = [...broken.values()].reduce((sum, count) => sum + count, 0)
  return [
    reportOf(`random, seed ${seed}: ${events} events`, result),
    `  routed      ${balance.routed} = ${ends.join(' + ')} + ${balance.pending.length} pending`,
    `  order       ${result.sequences} keys; ${result.disorder.length} out of order, ${result.parked.length} still parked`,
    `  broken      ${made}×: ${times.join(', ')}`,
  ].join('\n')
}

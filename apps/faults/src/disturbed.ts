import { setTimeout as sleep } from 'node:timers/promises'
import { GroupWatch } from './group-watch.js'
import { gapsInHistory } from './history.js'
import { settle, type Result } from './result.js'
import { Seeded } from './seeded.js'
import { isTenth, PATIENT, type Run } from './site.js'
import type { Stage } from './stage.js'
import { disturbWires, type Wired, type WireFault } from './wire-faults.js'

export interface DisturbedResult extends Result {
  /** Connections that were cut or held up, and pieces that were late. */
  readonly hits: number
  /** Requests that arrived while Kafka's or Postgres's clients were disturbed. */
  readonly meanwhile: number
  readonly gaps: readonly string[]
  readonly commitsBack: readonly string[]
}

export type Disturbed = readonly (readonly [Wired, WireFault])[]

const WEBHOOKS = 4
const PER_SECOND = 60
const BETWEEN_MS = 2000

/** One disturbance after the other under load; then the ledger, and the history. */
export async function disturb(stage: Stage, name: string, seed: number, faults: Disturbed): Promise<DisturbedResult> {
  const { site } = stage
  const run = await site.open({
    name,
    webhooks: WEBHOOKS,
    retryPolicy: PATIENT,
    answer: (delivery, nth) => ({ status: nth === 1 && isTenth(delivery) ? 500 : 200 }),
  })
  const { ledger } = run
  const seeded = new Seeded(seed)
  const wires = [...stage.brokers.values(), stage.postgres]
  const hits = () => wires.reduce((sum, wire) => sum + wire.hits, 0)
  const before = hits()
  const admin = site.kafka.admin({ retry: { retries: 1 } })
  await admin.connect()
  // A deliverer whose session ran out has lost requests that were under way.
  const watch = new GroupWatch(admin, ledger, ['router', 'deliverer'])
  const ending = new AbortController()
  const load = produceUntil(ending.signal, run)
  let meanwhile = 0
  try {
    for (const [wired, fault] of faults) {
      await sleep(BETWEEN_MS)
      const seen = site.receiver.requests.length
      await disturbWires(stage, { ledger, seeded }, wired, fault)
      meanwhile += site.receiver.requests.length - seen
    }
    ending.abort()
    const deliveries = await load
    const result = await settle(site, run, deliveries)
    const gaps = await gapsInHistory(site.stack, run.webhooks, deliveries, result.records)
    return { ...result, hits: hits() - before, meanwhile, gaps, commitsBack: await watch.stop() }
  } finally {
    ending.abort()
    await watch.stop()
    await admin.disconnect()
  }
}

async function produceUntil(signal: AbortSignal, run: Run): Promise<readonly string[]> {
  const deliveries: string[] = []
  while (!signal.aborted) deliveries.push(...(await run.produce(PER_SECOND, PER_SECOND)))
  return deliveries
}

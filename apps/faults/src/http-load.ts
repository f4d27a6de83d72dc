import { setTimeout as sleep } from 'node:timers/promises'
import { deliveryId } from '@posthorn/webhook'
import { ask, faultOf, type Endpoints, type Pods, type Scene } from './pods.js'
import { SOURCE } from './site.js'

const PER_SECOND = 100
const REQUEST_EVERY_MS = 50
/** More would be a load test of Postgres. */
const REGISTRY_ONE_IN = 5

export interface Loaded {
  /** Of all events that were taken. */
  readonly deliveries: readonly string[]
  /** Requests to the APIs that were not answered as they should be. */
  readonly refused: readonly string[]
}

/** Events named after `name`, at a steady rate, to all pods of a Service in turn, until `signal`. */
export async function requestSteadily(
  { site, webhooks }: Scene,
  pods: readonly Pods[],
  name: string,
  signal: AbortSignal,
): Promise<Loaded> {
  const deliveries: string[] = []
  const refused: string[] = []
  const asked: Promise<void>[] = []
  const say = async (target: string, ends: Endpoints, events: readonly object[], ids: readonly string[]) => {
    const url = [...ends][asked.length % ends.size]!
    const fault = await faultOf(ask(site, target, url, events))
    if (fault === undefined) deliveries.push(...ids)
    else refused.push(`${new Date().toISOString()} ${target} at ${url}: ${fault}`)
  }
  const ingest = pods.find(({ target }) => target === 'ingest')?.service?.ends ?? new Set([site.stack.publish])
  const registry = pods.find(({ target }) => target === 'registry')?.service?.ends
  const started = performance.now()
  for (let n = 0; !signal.aborted; await sleep(REQUEST_EVERY_MS)) {
    const due = Math.ceil(((performance.now() - started) / 1000) * PER_SECOND) - n
    const events = Array.from({ length: Math.min(Math.max(due, 1), 100) }, () => {
      const id = `${name}-${n}`
      return { id, source: SOURCE, type: `fault.${name}.${n++ % webhooks.length}`, data: id }
    })
    const ids = events.map(({ id, type }) =>
      deliveryId({ tenant: 'default', source: SOURCE, id }, webhooks[Number(type.split('.').at(-1))]!),
    )
    asked.push(say('ingest', ingest, events, ids))
    if (registry && asked.length % REGISTRY_ONE_IN === 0) asked.push(say('registry', registry, [], []))
  }
  await Promise.all(asked)
  return { deliveries, refused }
}

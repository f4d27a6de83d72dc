import { setTimeout as sleep } from 'node:timers/promises'
import { deliveryId } from '@posthorn/webhook'
import { until, type ExtraProcess } from '@posthorn/testkit'
import type { Admin } from 'kafkajs'
import { SERVICES } from './breakages.js'
import { untilMembers } from './group-watch.js'
import { send } from './kills.js'
import { settle, type Result } from './result.js'
import { isTenth, PATIENT, SOURCE, type Site } from './site.js'

/** These are members of a group, and their Deployments replace a pod when it has ended. */
const CONSUMERS = ['router', 'deliverer', 'retry-scheduler', 'monitor']
const WEBHOOKS = 8
const PER_SECOND = 100
const REQUEST_EVERY_MS = 50
/** More would be a load test of Postgres. */
const REGISTRY_ONE_IN = 5
const ANSWERED_WITHIN_MS = 15_000
/** A pod leaves its Service, and has so long for who has not heard of it yet: the preStop sleep of the chart, shorter. */
const PRE_STOP_MS = 1000
const READY_WITHIN_MS = 60_000

export interface RollingResult extends Result {
  /** In the order in which they were replaced. */
  readonly replaced: readonly string[]
  /** Requests to the APIs that were not answered as they should be. */
  readonly refused: readonly string[]
}

/** A Service of Kubernetes: the pods that get requests now, by URL. */
type Endpoints = Set<string>

/** Two pods of a target; the second is under the supervisor of the platform. */
interface Pods {
  readonly target: string
  extra: ExtraProcess
  /** Of those that take requests. */
  readonly service: { readonly ends: Endpoints; readonly supervised: string } | undefined
}

interface Scene {
  readonly site: Site
  readonly admin: Admin
  readonly webhooks: readonly string[]
}

/**
 * Replaces both pods of each target, one after the other, as a Deployment of the chart does it, under
 * load. Nothing is killed: the ledger gets no fault, so that every repeat is unexplained.
 */
export async function rollAll(
  site: Site,
  { rounds, targets = SERVICES }: { readonly rounds: number; readonly targets?: readonly string[] },
): Promise<RollingResult> {
  const run = await site.open({
    name: 'rolling',
    webhooks: WEBHOOKS,
    retryPolicy: PATIENT,
    answer: async (delivery, nth) => {
      await sleep(100 + Math.random() * 200)
      return { status: nth === 1 && isTenth(delivery) ? 500 : 200 }
    },
  })
  const admin = site.kafka.admin()
  await admin.connect()
  const scene = { site, admin, webhooks: run.webhooks }
  const pods = await Promise.all(targets.map(target => startSecond(site, target)))
  const rolled = new AbortController()
  try {
    const load = request(scene, pods, rolled.signal)
    const replaced: string[] = []
    for (let round = 0; round < rounds; round++)
      for (const pair of pods) {
        await replaceBoth(scene, pair)
        replaced.push(pair.target)
      }
    rolled.abort()
    const { deliveries, refused } = await load
    return { ...(await settle(site, run, deliveries)), replaced, refused }
  } finally {
    rolled.abort()
    await Promise.all(pods.map(({ extra }) => extra.stop()))
    await admin.disconnect()
  }
}

async function startSecond({ stack }: Site, target: string): Promise<Pods> {
  const extra = await stack.startAlso(target)
  const supervised = { ingest: stack.publish, registry: stack.api }[target]
  const service =
    supervised === undefined ? undefined : { supervised, ends: new Set([supervised, urlOf(target, extra)]) }
  return { target, extra, service }
}

function urlOf(target: string, { addresses }: ExtraProcess): string {
  return `http://${addresses[`${target}.http`]}`
}

async function replaceBoth(scene: Scene, pods: Pods): Promise<void> {
  const { admin, site } = scene
  const { target, service } = pods
  const joined = async () => CONSUMERS.includes(target) && (await untilMembers(admin, target, 2))
  await joined()
  const old = pods.extra
  if (service === undefined) {
    await old.stop()
    pods.extra = await site.stack.startAlso(target)
  } else {
    // maxSurge 1: the new one comes first.
    pods.extra = await site.stack.startAlso(target)
    service.ends.add(urlOf(target, pods.extra))
    await leave(service.ends, urlOf(target, old))
    await old.stop()
  }
  await joined()
  if (service) await leave(service.ends, service.supervised)
  await replaceSupervised(scene, pods)
  service?.ends.add(service.supervised)
  await joined()
}

async function leave(ends: Endpoints, url: string): Promise<void> {
  ends.delete(url)
  await sleep(PRE_STOP_MS)
}

/** It ends by SIGTERM, and its supervisor starts another. */
async function replaceSupervised({ site }: Scene, { target, service }: Pods): Promise<void> {
  const { stack } = site
  const pid = stack.currentPids()[target]!
  if (!send(pid, 'SIGTERM', () => undefined)) throw new Error(`the ${target} (${pid}) is gone`)
  const isNew = () => ![undefined, pid].includes(stack.currentPids()[target])
  await until(isNew, READY_WITHIN_MS, () => `the ${target} was not started again`)
  if (service === undefined) return
  // It listens before it is ready, and says so.
  const isReady = async () => (await faultOf(ask(site, target, service.supervised, []))) === undefined
  await until(isReady, READY_WITHIN_MS, () => `the new ${target} is not ready`)
}

/** What the load asks of a pod: to take events, or what webhooks there are. */
function ask({ stack }: Site, target: string, url: string, events: readonly object[]): Promise<Response> {
  const headers = { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' }
  const signal = AbortSignal.timeout(ANSWERED_WITHIN_MS)
  if (target === 'registry') return fetch(`${url}/v1/webhooks`, { headers, signal })
  const body = JSON.stringify(events.length > 0 ? events : [{ source: SOURCE, type: 'fault.probe', data: 0 }])
  return fetch(`${url}/v1/publish`, { method: 'POST', headers, body, signal })
}

/** Undefined: it was answered well. */
async function faultOf(asked: Promise<Response>): Promise<string | undefined> {
  try {
    const response = await asked
    await response.text()
    return response.ok ? undefined : `answered ${response.status}`
  } catch (error) {
    return String((error as Error).cause ?? error)
  }
}

/** At a steady rate, to all pods of a Service in turn, until `signal`. */
async function request({ site, webhooks }: Scene, pods: readonly Pods[], signal: AbortSignal) {
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
      const id = `rolling-${n}`
      return { id, source: SOURCE, type: `fault.rolling.${n++ % webhooks.length}`, data: id }
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

/** What was not as it should be, beyond the ledger: nobody was refused, and nothing was sent twice. */
export function brokenInRolling({ refused, audit }: RollingResult): string[] {
  return [
    ...refused.map(each => `refused: ${each}`),
    ...(audit.inFlight > 0 ? [`repeated: ${audit.inFlight} requests without a fault`] : []),
  ]
}

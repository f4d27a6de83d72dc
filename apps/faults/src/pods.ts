import { setTimeout as sleep } from 'node:timers/promises'
import { until, type ExtraProcess } from '@posthorn/testkit'
import type { Admin } from 'kafkajs'
import { untilMembers } from './group-watch.js'
import { send } from './kills.js'
import { SOURCE, type Site } from './site.js'

/** These are members of a group, and their Deployments replace a pod when it has ended. */
const CONSUMERS = ['router', 'deliverer', 'retry-scheduler', 'monitor']
/** A pod leaves its Service, and has so long for who has not heard of it yet: the preStop sleep of the chart, shorter. */
const PRE_STOP_MS = 1000
const READY_WITHIN_MS = 60_000
const ANSWERED_WITHIN_MS = 60_000

/** A Service of Kubernetes: the pods that get requests now, by URL. */
export type Endpoints = Set<string>

/** Two pods of a target; the second is under the supervisor of the platform. */
export interface Pods {
  readonly target: string
  extra: ExtraProcess
  /** Of those that take requests. */
  readonly service: { readonly ends: Endpoints; readonly supervised: string } | undefined
}

export interface Scene {
  readonly site: Site
  readonly admin: Admin
  readonly webhooks: readonly string[]
}

/** `build` is the folder of another build than this one. */
export async function startSecond({ stack }: Site, target: string, build?: string): Promise<Pods> {
  const extra = await stack.startAlso(target, build)
  const supervised = { ingest: stack.publish, registry: stack.api }[target]
  const service =
    supervised === undefined ? undefined : { supervised, ends: new Set([supervised, urlOf(target, extra)]) }
  return { target, extra, service }
}

export function urlOf(target: string, { addresses }: ExtraProcess): string {
  return `http://${addresses[`${target}.http`]}`
}

/** Both are members of their group, with partitions. */
export async function untilBothWork({ admin }: Scene, { target }: Pods): Promise<void> {
  if (CONSUMERS.includes(target)) await untilMembers(admin, target, 2)
}

/** As its Deployment does it: what takes requests is surged, what is a member of a group is not. */
export async function replaceExtra(scene: Scene, pods: Pods, build?: string): Promise<void> {
  const { target, service, extra: old } = pods
  const { stack } = scene.site
  await untilBothWork(scene, pods)
  if (service === undefined) {
    await old.stop()
    pods.extra = await stack.startAlso(target, build)
  } else {
    pods.extra = await stack.startAlso(target, build)
    service.ends.add(urlOf(target, pods.extra))
    await leave(service.ends, urlOf(target, old))
    await old.stop()
  }
  await untilBothWork(scene, pods)
}

/** It ends by SIGTERM, and its supervisor starts another. */
export async function replaceSupervised(scene: Scene, pods: Pods): Promise<void> {
  const { target, service } = pods
  const { stack } = scene.site
  if (service) await leave(service.ends, service.supervised)
  const pid = stack.currentPids()[target]!
  if (!send(pid, 'SIGTERM', () => undefined)) throw new Error(`the ${target} (${pid}) is gone`)
  const isNew = () => ![undefined, pid].includes(stack.currentPids()[target])
  await until(isNew, READY_WITHIN_MS, () => `the ${target} was not started again`)
  if (service) {
    // It listens before it is ready, and says so.
    const isReady = async () => (await faultOf(ask(scene.site, target, service.supervised, []))) === undefined
    await until(isReady, READY_WITHIN_MS, () => `the new ${target} is not ready`)
    service.ends.add(service.supervised)
  }
  await untilBothWork(scene, pods)
}

async function leave(ends: Endpoints, url: string): Promise<void> {
  ends.delete(url)
  await sleep(PRE_STOP_MS)
}

/** What the load asks of a pod: to take events, or what webhooks there are. */
export function ask({ stack }: Site, target: string, url: string, events: readonly object[]): Promise<Response> {
  const headers = { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' }
  const signal = AbortSignal.timeout(ANSWERED_WITHIN_MS)
  if (target === 'registry') return fetch(`${url}/v1/webhooks`, { headers, signal })
  const body = JSON.stringify(events.length > 0 ? events : [{ source: SOURCE, type: 'fault.probe', data: 0 }])
  return fetch(`${url}/v1/publish`, { method: 'POST', headers, body, signal })
}

/** Undefined: it was answered well. */
export async function faultOf(asked: Promise<Response>): Promise<string | undefined> {
  try {
    const response = await asked
    const text = await response.text()
    return response.ok ? undefined : `answered ${response.status}: ${text.slice(0, 300)}`
  } catch (error) {
    return String((error as Error).cause ?? error)
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { SERVICES } from './breakages.js'
import { requestSteadily, type Loaded } from './http-load.js'
import { replaceExtra, replaceSupervised, startSecond, type Pods, type Scene } from './pods.js'
import { settle, type Result } from './result.js'
import { isTenth, PATIENT, type Run, type Site } from './site.js'

const WEBHOOKS = 8

export interface RollingResult extends Result {
  /** In the order in which they were replaced. */
  readonly replaced: readonly string[]
  readonly refused: readonly string[]
}

/**
 * Replaces both pods of each target, one after the other, as a Deployment of the chart does it, under
 * load. Nothing is killed: the ledger gets no fault, so that every repeat is unexplained.
 */
export async function rollAll(
  site: Site,
  { rounds, targets = SERVICES }: { readonly rounds: number; readonly targets?: readonly string[] },
): Promise<RollingResult> {
  const run = await openSteady(site, 'rolling')
  const replaced: string[] = []
  const { deliveries, refused } = await withPods(site, run, 'rolling', targets, async (scene, pods) => {
    for (let round = 0; round < rounds; round++)
      for (const pair of pods) {
        await replaceExtra(scene, pair)
        await replaceSupervised(scene, pair)
        replaced.push(pair.target)
      }
  })
  return { ...(await settle(site, run, deliveries)), replaced, refused }
}

/** Receivers that take 0.1 to 0.3 s, so that there is always something in flight, and fail a tenth once. */
export function openSteady(site: Site, name: string): Promise<Run> {
  return site.open({
    name,
    webhooks: WEBHOOKS,
    retryPolicy: PATIENT,
    answer: async (delivery, nth) => {
      await sleep(100 + Math.random() * 200)
      return { status: nth === 1 && isTenth(delivery) ? 500 : 200 }
    },
  })
}

/** Does the work while two pods of each target are under load by HTTP; `build` is that of the second ones. */
export async function withPods(
  site: Site,
  { webhooks }: Run,
  name: string,
  targets: readonly string[],
  work: (scene: Scene, pods: readonly Pods[]) => Promise<void>,
  build?: string,
): Promise<Loaded> {
  const admin = site.kafka.admin()
  await admin.connect()
  const scene = { site, admin, webhooks }
  const pods = await Promise.all(targets.map(target => startSecond(site, target, build)))
  const done = new AbortController()
  try {
    const load = requestSteadily(scene, pods, name, done.signal)
    await work(scene, pods)
    done.abort()
    return await load
  } finally {
    done.abort()
    await Promise.all(pods.map(({ extra }) => extra.stop()))
    await admin.disconnect()
  }
}

/** What was not as it should be, beyond the ledger: nobody was refused, and nothing was sent twice. */
export function brokenInRolling({ refused, audit }: Pick<RollingResult, 'refused' | 'audit'>): string[] {
  return [
    ...refused.map(each => `refused: ${each}`),
    ...(audit.inFlight > 0 ? [`repeated: ${audit.inFlight} requests without a fault`] : []),
  ]
}

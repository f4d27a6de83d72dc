import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { answerOf, createApiClient } from '@posthorn/api/client'
import { SERVICES } from './breakages.js'
import { replaceExtra, replaceSupervised, urlOf, type Pods, type Scene } from './pods.js'
import type { PreviousBuild } from './previous-build.js'
import { settle, type Result } from './result.js'
import { openSteady, withPods } from './rolling.js'
import { PATIENT, Site, type Run } from './site.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const CLI = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url))
/** Retries of a second go round many times in it. */
const SIDE_BY_SIDE_MS = 15_000
const EVENTS_OF_EACH = 40

export interface UpgradeResult extends Result {
  readonly from: string
  /** What was done, in its order. */
  readonly stages: readonly string[]
  readonly refused: readonly string[]
}

/**
 * The build before this one under load, two pods of each target. The setup of this build migrates the
 * database and compares the topics; one pod of each target is replaced by this build, then works beside
 * the old one; then all are the old build again, started on the new schema and the new records.
 */
export async function upgradeAndBack({ commit, folder }: PreviousBuild, stopping: AbortSignal): Promise<UpgradeResult> {
  const site = await Site.start({}, folder)
  stopping.addEventListener('abort', () => void site.stop().then(() => process.exit(1)))
  try {
    const run = await openSteady(site, 'upgrade')
    const stages: string[] = []
    const more: string[] = []
    const work = async (scene: Scene, pods: readonly Pods[]) => {
      await setUp(site)
      stages.push('set up by the new build')
      for (const pair of pods) await replaceExtra(scene, pair, ROOT)
      more.push(...(await changeByEach(site, run, pods, 'both')))
      await sleep(SIDE_BY_SIDE_MS)
      stages.push('one pod of each target upgraded')
      for (const pair of pods) {
        await replaceSupervised(scene, pair)
        await replaceExtra(scene, pair, folder)
      }
      more.push(...(await changeByEach(site, run, pods, 'back')))
      stages.push('all rolled back')
    }
    const { deliveries, refused } = await withPods(site, run, 'upgrade', SERVICES, work, folder)
    return { ...(await settle(site, run, [...deliveries, ...more])), from: commit, stages, refused }
  } finally {
    await site.stop()
  }
}

/** As the setup Job of the chart does it. Throws with the words of what failed. */
async function setUp({ stack }: Site): Promise<void> {
  const env = {
    ...process.env,
    POSTHORN_KAFKA_BROKERS: stack.kafka,
    POSTHORN_KAFKA_REPLICATION: '1',
    POSTHORN_DATABASE_URL: stack.postgres,
  }
  for (const args of [['topics', '--apply'], ['migrate']])
    await new Promise<void>((resolve, reject) => {
      const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 2, 2] })
      child.once('error', reject)
      child.once('exit', code => (code === 0 ? resolve() : reject(new Error(`${args.join(' ')} ended with ${code}`))))
    })
}

/**
 * Each registry makes webhooks, which the other one then changes, and each must get its events.
 * Resolves with the deliveries that this must come to.
 */
async function changeByEach(site: Site, { ledger }: Run, pods: readonly Pods[], stage: string): Promise<string[]> {
  const registry = pods.find(({ target }) => target === 'registry')!
  const ends = [site.stack.api, urlOf('registry', registry.extra)]
  const deliveries: string[] = []
  for (const [at, end] of ends.entries()) {
    const answer = () => ({ status: 200 })
    const name = `upgrade-${stage}-${at}`
    const made = await site.open({ name, webhooks: 4, retryPolicy: PATIENT, answer, ledger, registry: end })
    const other = createApiClient({ url: ends[1 - at]!, key: site.stack.key })
    for (const id of made.webhooks) {
      const body = { description: `changed by the other registry` }
      await answerOf(other.PATCH('/v1/webhooks/{id}', { params: { path: { id } }, body }))
    }
    deliveries.push(...(await made.produce(EVENTS_OF_EACH, 1000)))
  }
  return deliveries
}

import { randomBytes } from 'node:crypto'
import { answerOf, createApiClient } from '@posthorn/api/client'
import { Deployment } from './deployment.js'
import { Operator } from './operator.js'

const PARTITIONS = 3
const MORE_PARTITIONS = 5
const STATEFUL = ['registry', 'replayer', 'monitor']

interface Told {
  readonly report: string
  readonly broken: readonly string[]
}

/** What each page of docs/operations says that is to be done, on a platform of its own. */
export async function followRunbooks(stopping: AbortSignal, say: (line: string) => void): Promise<Told> {
  const deployment = await Deployment.start(PARTITIONS)
  const operator = await Operator.of(deployment)
  stopping.addEventListener('abort', () => void deployment.stop().then(() => process.exit(1)))
  const done: string[] = []
  const broken: string[] = []
  try {
    await deployment.posthorn('topics', '--apply')
    await deployment.posthorn('migrate')
    await deployment.up()
    for (const [name, follow] of Object.entries(RUNBOOKS)) {
      const started = performance.now()
      // The next ones stand on it: what is broken ends the run.
      await follow(deployment, operator)
      done.push(`  ${name.padEnd(12)}${((performance.now() - started) / 1000).toFixed(0)} s`)
      say(done.at(-1)!.trim())
    }
  } catch (error) {
    broken.push(`after ${done.length} runbooks: ${String((error as Error).stack)}`)
  } finally {
    await deployment.stop()
    await operator.receiver.close()
  }
  const repeats = `  repeats     ${operator.repeats()} of ${operator.receiver.requests.length} requests`
  return { report: ['runbooks', ...done, repeats].join('\n'), broken }
}

const RUNBOOKS: Readonly<Record<string, (deployment: Deployment, operator: Operator) => Promise<void>>> = {
  partitions: growPartitions,
  restore: restoreDatabase,
  secrets: changeSecrets,
  move: moveToAnotherCluster,
  lost: loseTheCluster,
}

/** docs/operations/partitions.md, with retries in delay topics and events that come meanwhile. */
async function growPartitions(deployment: Deployment, operator: Operator): Promise<void> {
  const webhook = await operator.register('grow', { failFirst: true })
  const before = await operator.publish(webhook)
  await operator.untilRefused(webhook, before.length)
  await deployment.down(['router', 'replayer'])
  const meanwhile = await operator.publish(webhook)
  await deployment.down(['ingest'])
  await deployment.untilIdle()
  await deployment.down()
  deployment.settings.POSTHORN_KAFKA_PARTITIONS = String(MORE_PARTITIONS)
  await deployment.posthorn('topics', '--apply', '--add-partitions')
  await deployment.up()
  await operator.untilArrived([...before, ...meanwhile, ...(await operator.publish(webhook))])
}

/** docs/operations/backup.md: one webhook changed and one made after the backup. */
async function restoreDatabase(deployment: Deployment, operator: Operator): Promise<void> {
  const changed = await operator.register('restore')
  await deployment.down(STATEFUL)
  const backedUpAt = Date.now()
  await deployment.sql('CREATE DATABASE backup TEMPLATE posthorn')
  await deployment.up(STATEFUL)
  await operator.move(changed, 'restore-changed')
  const made = await operator.register('restore-made')
  const after = [...(await operator.publish(changed)), ...(await operator.publish(made))]
  await operator.untilArrived(after)
  await deployment.down(STATEFUL)
  const meanwhile = await operator.publish(changed)
  await operator.untilArrived(meanwhile)
  await deployment.sql('DROP DATABASE posthorn')
  await deployment.sql('CREATE DATABASE posthorn TEMPLATE backup')
  await operator.rewindMonitor(backedUpAt)
  await deployment.up(STATEFUL)
  await operator.untilGoesTo(changed, 'restore')
  // Nobody's row, and still on the topic, until it is taken off by hand.
  await operator.untilArrived(await operator.publish(made))
  await operator.bury(made)
  await operator.untilSilent(made)
  await operator.untilHistoryHas([...after, ...meanwhile].filter(id => !operator.of(made, id)))
}

/** docs/operations/secrets.md: those that are read once, at start. */
async function changeSecrets(deployment: Deployment, operator: Operator): Promise<void> {
  const webhook = await operator.register('secrets')
  await deployment.sql(`CREATE ROLE second LOGIN PASSWORD 'second' IN ROLE posthorn`)
  const url = new URL(deployment.settings.POSTHORN_DATABASE_URL!)
  Object.assign(url, { username: 'second', password: 'second' })
  const old = deployment.api
  Object.assign(deployment.settings, {
    POSTHORN_DATABASE_URL: url.href,
    POSTHORN_AUTH_PLATFORM_KEY: randomBytes(24).toString('hex'),
    POSTHORN_SEALING_KEYS: `k2:${randomBytes(32).toString('base64')},${deployment.settings.POSTHORN_SEALING_KEYS}`,
  })
  for (const targets of [['deliverer', 'ingest'], ['registry'], ['router', 'retry-scheduler', 'replayer', 'monitor']]) {
    await deployment.down(targets)
    await deployment.up(targets)
  }
  await deployment.posthorn('migrate')
  await deployment.posthorn('secrets', 'reseal')
  const { response } = await createApiClient(old).GET('/v1/webhooks')
  if (response.status !== 401) throw new Error(`the old platform key was answered ${response.status}`)
  await operator.untilArrived([
    ...(await operator.publish(webhook)),
    ...(await operator.publish(await operator.register('secrets-new'))),
  ])
}

/** docs/operations/moving.md: the old cluster runs dry, then all meets an empty one. */
async function moveToAnotherCluster(deployment: Deployment, operator: Operator): Promise<void> {
  const webhook = await operator.register('move')
  const before = await operator.publish(webhook)
  await deployment.down(['ingest'])
  await operator.untilArrived(before)
  await deployment.untilIdle()
  await operator.untilHistoryHas(before)
  await deployment.down()
  await deployment.loseKafka()
  await deployment.posthorn('topics', '--apply')
  await deployment.up()
  await operator.untilArrived(await operator.publish(webhook))
}

/** docs/operations/backup.md: what was under way is sent again by its ids. */
async function loseTheCluster(deployment: Deployment, operator: Operator): Promise<void> {
  const webhook = await operator.register('lost', { failFirst: true })
  const pending = await operator.publish(webhook)
  await operator.untilRefused(webhook, pending.length)
  await operator.untilHistoryHas(pending, 'retry')
  await deployment.down()
  await deployment.loseKafka()
  await deployment.posthorn('topics', '--apply')
  await deployment.up()
  const under = await operator.underWay('retry')
  await answerOf(operator.api.POST('/v1/replays', { body: { deliveries: [...under] } }))
  await operator.untilArrived(pending)
}

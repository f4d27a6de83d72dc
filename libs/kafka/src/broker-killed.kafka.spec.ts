import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { endProcess, freePorts, startKafka, type RunningKafka } from '@posthorn/embedded'
import { until } from '@posthorn/testkit'
import type { KafkaConnection } from './connection.js'
import { GroupConsumer } from './group-consumer.js'
import { leaveAs } from './group-leave.js'
import { SafeProducer } from './safe-producer.js'
import { makeTopics, testConnection, WORK } from './test-cluster.js'

const CACHE = join(import.meta.dirname, '..', '..', '..', '.posthorn', 'cache')

/** `crash`: kafkajs gives up each member, as it does with some when its metadata runs out at a bad moment. */
const ROUNDS = [
  { awayMs: 0, crash: false },
  { awayMs: 0, crash: true },
  { awayMs: 4000, crash: true },
]

describe('The only broker, killed and back', () => {
  const dir = mkdtempSync(join(tmpdir(), 'killed-'))
  let ports: number[]
  let kafka: RunningKafka
  let connection: KafkaConnection

  const start = () =>
    startKafka({
      dir,
      cacheDir: CACHE,
      heap: ['-Xmx256m'],
      port: ports[0]!,
      controllerPort: ports[1]!,
      onProgress: () => undefined,
    })

  beforeAll(async () => {
    ports = await freePorts(2)
    kafka = await start()
    connection = testConnection([kafka.brokers], 4)
    await makeTopics(connection, WORK)
  }, 120_000)

  afterAll(async () => {
    connection?.close()
    await kafka?.stop()
    rmSync(dir, { recursive: true, force: true })
  }, 30_000)

  it('a group of three goes on soon: no member waits for the session of what it was before', async () => {
    const fatal: Error[] = []
    const seen = new Set<string>()
    const members = [1, 2, 3].map(
      () =>
        new GroupConsumer(connection, {
          group: 'work',
          topics: [WORK],
          fatal: error => fatal.push(error),
          onBatch: ({ claim, records }) => {
            for (const { value, offset } of records) {
              seen.add(value!.toString())
              claim.done(offset)
            }
          },
        }),
    )
    const producer = new SafeProducer(connection)
    await Promise.all([producer.connect(), ...members.map(member => member.start())])
    const send = (round: string) =>
      Promise.all(
        [0, 1, 2, 3].map(partition =>
          producer.send(WORK, { key: null, value: Buffer.from(`${round} ${partition}`) }, { partition }),
        ),
      )
    await send('before')
    await until(() => seen.size === 4, 20_000)
    for (const [i, { awayMs, crash }] of ROUNDS.entries()) {
      await endProcess(kafka.pid, 'SIGKILL', 2000)
      await kafka.exited
      if (crash) members.forEach(forgetBrokers)
      await sleep(awayMs)
      kafka = await start()
      void send(`after ${i}`)
      await until(
        () => seen.size === 8 + 4 * i,
        7000,
        () => `a member seems to wait for its own old session, of 10 s: ${seen.size} were seen`,
      )
    }
    // One that is gone already is nothing to wait for.
    await leaveAs(connection, `${connection.prefix}work`, 'nobody', undefined)
    expect(fatal).toEqual([])
    await Promise.all([producer.close(), ...members.map(member => member.stop())])
  }, 120_000)
})

/** kafkajs then finds no broker to fetch from, and its consumer crashes with KafkaJSNoBrokerAvailableError. */
function forgetBrokers(member: GroupConsumer): void {
  const { cluster } = (member as unknown as { membership: { assigner: { cluster: { brokerPool: object } } } })
    .membership.assigner
  Object.assign(cluster.brokerPool, { brokers: {} })
}

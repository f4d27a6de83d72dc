import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { freePorts, startKafka, type RunningKafka } from '@posthorn/embedded'
import { groupName, type ConsumerGroup } from '@posthorn/topics'
import type { KafkaConnection } from './connection.js'
import { commitPositions } from './group-positions.js'
import { readOldestUnfinished } from './oldest-unfinished.js'
import { makeTopics, testConnection, WORK } from './test-cluster.js'

const CACHE = join(import.meta.dirname, '..', '..', '..', '.posthorn', 'cache')

/** Enough to meet every partition on which it will keep their offsets. */
const GROUPS: readonly ConsumerGroup[] = Array.from({ length: 20 }, (_, n) => ({ name: `late-${n}`, topics: [WORK] }))

describe('A broker that has just started', () => {
  const dir = mkdtempSync(join(tmpdir(), 'fresh-'))
  let ports: number[]
  let kafka: RunningKafka
  let connection: KafkaConnection

  beforeAll(async () => {
    ports = await freePorts(2)
    kafka = await startKafka({
      ...{ dir, cacheDir: CACHE, heap: ['-Xmx256m'], port: ports[0]!, controllerPort: ports[1]! },
      onProgress: () => undefined,
    })
    connection = testConnection([kafka.brokers], 1)
    await makeTopics(connection, WORK)
  }, 120_000)

  afterAll(async () => {
    connection?.close()
    await kafka?.stop()
    rmSync(dir, { recursive: true, force: true })
  }, 30_000)

  it('is asked again while it does not know yet which groups it coordinates', async () => {
    // Made for the first group that is asked for.
    expect(await connection.withAdmin(admin => admin.listTopics())).not.toContain('__consumer_offsets')
    const commit = (group: ConsumerGroup) =>
      commitPositions(connection, groupName(connection.prefix, group), [
        { topic: connection.topic(WORK), partition: 0, offset: 0 },
      ])
    const asked = GROUPS.map((group, n) =>
      n % 2 === 0 ? readOldestUnfinished(connection, [group]) : commit(group).then(() => 'committed'),
    )
    const answers = await Promise.allSettled(asked)
    expect(answers.flatMap(answer => (answer.status === 'rejected' ? [answer.reason] : []))).toEqual([])
  }, 60_000)
})

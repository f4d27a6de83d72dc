import { createRequire } from 'node:module'
import { describe, expect, it } from '@jest/globals'
import { repairKafkajs } from './kafkajs-repairs.js'

/** kafkajs's own class: what it does is decided by whom it asks. */
interface OffsetManager {
  commitOffsets(offsets: object): Promise<void>
}

describe('kafkajs, repaired', () => {
  const require = createRequire(import.meta.url)
  const Manager = require('kafkajs/src/consumer/offsetManager') as new (options: object) => OffsetManager
  const committed = { topics: [{ topic: 't', partitions: [{ partition: 0, offset: '7' }] }] }
  const notCoordinator = Object.assign(new Error('moved'), { type: 'NOT_COORDINATOR_FOR_GROUP' })

  /** A broker that says every request to it. */
  function broker(error?: Error) {
    const asked: object[] = []
    const offsetCommit = (request: object) => {
      asked.push(request)
      return error ? Promise.reject(error) : Promise.resolve()
    }
    return { asked, offsetCommit, isConnected: () => true }
  }

  function managerOf(coordinator: object, present: () => Promise<object>) {
    repairKafkajs()
    const cluster = {
      committedOffsets: () => ({}),
      refreshMetadata: () => Promise.resolve(),
      findGroupCoordinator: present,
    }
    const member = { groupId: 'g', memberId: 'm', generationId: 3, memberAssignment: { t: [0] } }
    return new Manager({ ...member, cluster, coordinator, instrumentationEmitter: { emit: () => undefined } })
  }

  it('commits to the present coordinator after the former one has refused', async () => {
    const former = broker(notCoordinator)
    const present = broker()
    const manager = managerOf(former, () => Promise.resolve(present))
    await expect(manager.commitOffsets(committed)).rejects.toBe(notCoordinator)
    await manager.commitOffsets(committed)
    expect(former.asked).toHaveLength(1)
    expect(present.asked).toEqual([{ groupId: 'g', memberId: 'm', groupGenerationId: 3, ...committed }])
  })

  it('says why a commit failed also when no coordinator is found', async () => {
    const manager = managerOf(broker(notCoordinator), () => Promise.reject(new Error('none')))
    await expect(manager.commitOffsets(committed)).rejects.toBe(notCoordinator)
  })
})

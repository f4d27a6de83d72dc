import { describe, expect, it } from '@jest/globals'
import type { ConsumedRecord, PartitionClaim } from '@posthorn/kafka'
import { DELIVERIES, encodeDelivery } from '@posthorn/topics'
import { DelivererMetrics } from './deliverer-metrics.js'
import { Intake } from './intake.js'
import { Ordering } from './ordering.js'
import type { Parking } from './parking.js'
import type { Work } from './work.js'

const PARTITION = 2
const nothing = () => undefined

function recordOf(offset: number, id: string, attempt: number): ConsumedRecord {
  const event = { tenant: 't', id, source: '/s', type: 'a.b', time: '2026-01-01T00:00:00Z', contenttype: 'text/plain' }
  const delivery = {
    ...{ id, webhook: 'webhook_1', webhookVersion: 1, tenant: 't', run: '0', attempt, due: 0, acceptedAt: 1 },
    ...{ origin: { partition: 0, offset }, spills: 0, order: 'k', event },
  }
  const { key, value } = encodeDelivery(delivery, Buffer.from('1'))
  return { key, value, headers: {}, timestamp: Date.now(), topic: DELIVERIES, partition: PARTITION, offset }
}

/** One partition with real parking; what is sent is seen, and every place is acknowledged at once. */
async function setUp() {
  const sent: Work[] = []
  const done: number[] = []
  const claim: PartitionClaim = {
    topic: DELIVERIES,
    partition: PARTITION,
    done: offset => void done.push(offset),
    pause: nothing,
    resume: nothing,
    revoked: new AbortController().signal,
  }
  const metrics = new DelivererMetrics()
  const intake = new Intake({
    ...{ metrics, undecodable: nothing, newer: nothing },
    ready: work => ordering.goOn(work, Date.now()),
  })
  const writes: Promise<void>[] = []
  let toWork: (record: ConsumedRecord) => Work | undefined = nothing
  const ordering: Ordering = new Ordering({
    places: { all: () => Promise.resolve([]), write: () => Promise.resolve(), overwritten: nothing, removed: nothing },
    intake,
    reader: (_partition, _parking, _revoked, read) => {
      toWork = read
      return { wake: () => Promise.resolve(), close: () => Promise.resolve() }
    },
    send: work => void sent.push(work),
    withdraw: () => [],
    isPaused: () => false,
    track: work => void writes.push(work),
  })
  await ordering.assigned([claim], Promise.resolve())
  const parking: Parking<Work> = ordering.of(claim)!
  const live = (record: ConsumedRecord) => {
    const work = intake.read(claim, record, true)!
    parking.passed = record.offset + 1
    parking.live(work, Date.now())
    return work
  }
  const readAgain = (records: readonly ConsumedRecord[], now: number) => {
    parking.open(records[0]!.offset, now, now)
    for (const record of records) parking.again(toWork(record)!, now)
    const end = records.at(-1)!.offset + 1
    parking.readTo(end, end, now)
  }
  return { sent, done, intake, ordering, live, readAgain, written: () => Promise.all(writes) }
}

describe('a copy of an ordered delivery with a later number than the attempt under way', () => {
  const records = [recordOf(3, 'first', 1), recordOf(5, 'first', 2), recordOf(6, 'next', 1)] as const

  it('is parked with its key, and holds nothing when the key goes on', async () => {
    const { sent, done, ordering, live, readAgain, written } = await setUp()
    const [first] = records.map(live)
    const now = Date.now()
    ordering.retry(first!, now + 60_000, now)
    await written()
    expect(done.toSorted()).toEqual([3, 5, 6])
    readAgain(records, now + 60_000)
    expect(sent.map(({ record, live: isLive }) => [record.offset, isLive])).toEqual([
      [3, true],
      [3, false],
    ])
  })

  it('ends with it, also where it is set aside, and does not come behind the next of its key', async () => {
    const { sent, done, intake, ordering, live } = await setUp()
    const [first] = records.map(live)
    intake.release(first!)
    first!.completion.done()
    ordering.ended(first!, Date.now())
    expect([done, sent.map(({ record }) => record.offset)]).toEqual([
      [3, 5],
      [3, 6],
    ])
  })
})

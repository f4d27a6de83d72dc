import { describe, expect, it } from '@jest/globals'
import { ProducerClosed, type ConsumedRecord, type PartitionClaim } from '@posthorn/kafka'
import { createLogger } from '@posthorn/telemetry'
import { until } from '@posthorn/testkit'
import { decodePoison, EVENTS, type TopicRecord } from '@posthorn/topics'
import type { Routed } from './route.js'
import { RouterMetrics } from './router-metrics.js'
import { RoutingLoop } from './routing-loop.js'

/** Several of the event loop: on a busy machine the loop under test gives way between records. */
const turn = async () => {
  for (let i = 0; i < 10; i++) await new Promise(resolve => setImmediate(resolve))
}

function recordsOf(count: number): ConsumedRecord[] {
  return Array.from({ length: count }, (_, offset) => ({
    topic: EVENTS,
    partition: 0,
    offset,
    key: null,
    value: Buffer.from(String(offset)),
    timestamp: 0,
  }))
}

function setUp(routeOne: (offset: number) => Promise<Routed>, isBehind = () => false) {
  const done: number[] = []
  const set: TopicRecord[] = []
  const deaths: Error[] = []
  const revoked = new AbortController()
  const claim: PartitionClaim = {
    topic: EVENTS,
    partition: 0,
    done: offset => void done.push(offset),
    pause: () => undefined,
    resume: () => undefined,
    revoked: revoked.signal,
  }
  const loop = new RoutingLoop({
    route: record => routeOne(record.offset),
    isBehind,
    output: { send: async (_topic, record) => void set.push(record), room: async () => undefined },
    metrics: new RouterMetrics(() => 0),
    logger: createLogger('silent', 'test'),
    fatal: error => void deaths.push(error),
  })
  return { loop, claim, revoked, done, set, deaths }
}

const routed = (acknowledged: Promise<unknown> = Promise.resolve()): Routed => ({
  result: 'routed',
  deliveries: 1,
  acknowledged,
})

describe('RoutingLoop', () => {
  it('infrastructure away: the offset stays until its deliveries are acknowledged', async () => {
    const acknowledge: (() => void)[] = []
    const { loop, claim, done } = setUp(async () => routed(new Promise<void>(resolve => acknowledge.push(resolve))))
    loop.enqueue({ claim, records: recordsOf(3) })
    await turn()
    expect(acknowledge.length).toBe(3)
    expect(done).toEqual([])
    acknowledge[1]!()
    await turn()
    expect(done).toEqual([1])
  })

  it('routes nothing while webhooks may be missing, and goes on afterwards', async () => {
    let isBehind = true
    const seen: number[] = []
    const { loop, claim, done } = setUp(
      async offset => {
        seen.push(offset)
        return routed()
      },
      () => isBehind,
    )
    loop.enqueue({ claim, records: recordsOf(2) })
    await turn()
    expect(seen).toEqual([])
    isBehind = false
    await until(() => done.length === 2, 30_000)
    expect(seen).toEqual([0, 1])
  })

  it('routes what came in one turn in one, and lets sockets have theirs before what came later', async () => {
    const routedIn = async () => {
      let turns = 0
      const seen: number[] = []
      const { loop, claim } = setUp(async () => {
        seen.push(turns)
        return routed()
      })
      const enqueue = async () => {
        loop.enqueue({ claim, records: recordsOf(1) })
        await Promise.resolve()
        return seen.length
      }
      const nextTurn = async () => {
        await new Promise(resolve => setImmediate(resolve))
        turns++
      }
      const early = [await enqueue(), await enqueue()]
      await nextTurn()
      early.push(await enqueue())
      await nextTurn()
      return `${seen.join()}; so far ${early.join()}`
    }
    // On a machine that stands still in between, the loop gives way once more.
    await until(async () => (await routedIn()) === '0,0,1; so far 0,0,2', 10_000)
  })

  it('three failures: the record goes to poison, and the rest goes on', async () => {
    const tries: number[] = []
    const { loop, claim, done, set, deaths } = setUp(async offset => {
      tries.push(offset)
      if (offset === 1) throw new TypeError('a bug')
      return routed()
    })
    loop.enqueue({ claim, records: recordsOf(3) })
    await turn()
    expect(tries).toEqual([0, 1, 1, 1, 2])
    expect(done).toEqual([0, 1, 2])
    const read = decodePoison(set[0]!.value)
    expect(read).toMatchObject({
      kind: 'poison',
      head: { reason: 'handler_failed', offset: 1, detail: 'routing failed: a bug' },
    })
    expect(deaths).toEqual([])
  })

  it('sets an event aside whose delivery the broker refuses', async () => {
    const refused = Promise.reject(new Error('the record is larger than the broker takes'))
    refused.catch(() => undefined)
    const { loop, claim, done, set } = setUp(async offset => routed(offset === 0 ? refused : undefined))
    loop.enqueue({ claim, records: recordsOf(2) })
    await turn()
    expect(set).toHaveLength(1)
    expect(new Set(done)).toEqual(new Set([0, 1]))
  })

  it('leaves the offset when the producer closes', async () => {
    const { loop, claim, done, set, deaths } = setUp(async () => {
      throw new ProducerClosed()
    })
    loop.enqueue({ claim, records: recordsOf(1) })
    await turn()
    expect([done, set, deaths]).toEqual([[], [], []])
  })

  it('routes nothing more of a partition that was taken away', async () => {
    const { loop, claim, done, revoked } = setUp(async offset => {
      if (offset === 1) revoked.abort()
      return routed()
    })
    loop.enqueue({ claim, records: recordsOf(4) })
    await turn()
    expect(done).toEqual([0, 1])
  })
})

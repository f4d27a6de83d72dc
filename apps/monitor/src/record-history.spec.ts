import { describe, expect, it } from '@jest/globals'
import type { ConsumedRecord, PartitionClaim } from '@posthorn/kafka'
import { HistoryRefused, type HistoryWritten, type PositionedEntry } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { until } from '@posthorn/testkit'
import { ATTEMPTS, decodePoison, POISON, type TopicContract, type TopicRecord } from '@posthorn/topics'
import { MonitorMetrics } from './monitor-metrics.js'
import { HistoryRecorder, type HistoryParts } from './record-history.js'

const WAIT_MS = 30_000
const NOTHING: HistoryWritten = { events: 0, deliveries: 0, attempts: 0, counters: 0, poison: 0 }

class FakeClaim implements PartitionClaim {
  readonly finished: number[] = []
  readonly ending = new AbortController()
  readonly revoked = this.ending.signal
  isPaused = false
  constructor(
    readonly topic: TopicContract = ATTEMPTS,
    readonly partition = 0,
  ) {}
  done(offset: number): void {
    this.finished.push(offset)
  }
  pause(): void {
    this.isPaused = true
  }
  resume(): void {
    this.isPaused = false
  }
}

function records(claim: PartitionClaim, values: readonly string[], from = 0): ConsumedRecord[] {
  return values.map((value, index) => ({
    topic: claim.topic,
    partition: claim.partition,
    offset: from + index,
    key: null,
    value: Buffer.from(value),
    timestamp: Date.now(),
  }))
}

/** A recorder whose records are words: "bad" is undecodable, "newer" is newer, "faulty" is refused by Postgres. */
function make(write: (entries: readonly PositionedEntry[]) => Promise<void> = async () => undefined) {
  const writes: PositionedEntry[][] = []
  const sent: { topic: TopicContract; record: TopicRecord }[] = []
  const faults: Error[] = []
  const words = new Map<string, string>()
  const parts: HistoryParts = {
    read: record => {
      const word = record.value!.toString()
      words.set(`${record.partition}/${record.offset}`, word)
      if (word === 'bad') return { kind: 'undecodable', detail: 'no JSON' }
      if (word === 'newer') return { kind: 'newer', version: 2 }
      const head = {
        topic: word,
        partition: 0,
        offset: 0,
        timestamp: 0,
        reason: 'undecodable',
        detail: '',
        size: 0,
      } as const
      return { kind: 'entry', entry: { kind: 'poison', head, value: Buffer.alloc(0) } }
    },
    write: async entries => {
      await write(entries)
      if (entries.some(({ entry }) => entry.kind === 'poison' && entry.head.topic === 'faulty'))
        throw new HistoryRefused(new Error('value out of range'))
      writes.push([...entries])
      return NOTHING
    },
    send: async (topic, record) => void sent.push({ topic, record }),
    topicName: topic => `p.${topic.name}`,
    metrics: lagSeconds => new MonitorMetrics(lagSeconds),
    logger: createLogger('silent', 'test'),
    fatal: error => void faults.push(error),
  }
  return { recorder: new HistoryRecorder(parts), writes, sent, faults }
}

/** Lets everything happen that needs no timer. */
async function turns(): Promise<void> {
  for (let n = 0; n < 5; n++) await new Promise(resolve => setImmediate(resolve))
}

describe('recording history', () => {
  it('gathers what comes within a tenth of a second into one transaction, then is done with it', async () => {
    const { recorder, writes } = make()
    const claims = [new FakeClaim(), new FakeClaim(ATTEMPTS, 1)] as const
    recorder.take({ claim: claims[0], records: records(claims[0], ['a', 'b']) })
    recorder.take({ claim: claims[1], records: records(claims[1], ['c'], 7) })
    await until(() => claims[1].finished.length > 0, WAIT_MS)
    expect(writes.map(write => write.map(({ topic, partition, offset }) => [topic, partition, offset]))).toEqual([
      [
        ['p.attempts.v1', 0, 0],
        ['p.attempts.v1', 0, 1],
        ['p.attempts.v1', 1, 7],
      ],
    ])
    expect(claims.map(claim => claim.finished)).toEqual([[0, 1], [7]])
    expect(recorder.lagSeconds()).toBe(0)
  })

  it('closes a batch at 2,500 rows or 4 MiB without waiting', async () => {
    const { recorder, writes } = make()
    const claim = new FakeClaim()
    recorder.take({ claim, records: records(claim, Array<string>(2_501).fill('a')) })
    await turns()
    expect(writes).not.toEqual([])
    await until(() => claim.finished.length === 2_501, WAIT_MS)
    expect(writes.map(write => write.length)).toEqual([2_500, 1])
    const big = 'x'.repeat(1536 * 1024)
    recorder.take({ claim, records: records(claim, [big, big, big, big], 2_501) })
    await until(() => claim.finished.length === 2_505, WAIT_MS)
    expect(writes.slice(2).map(write => write.length)).toEqual([2, 2])
  })

  it('refused by Postgres: the one record is isolated and goes to poison, and the rest goes on', async () => {
    const { recorder, writes, sent } = make()
    const claim = new FakeClaim()
    const words = Array.from({ length: 100 }, (_, n) => (n === 37 ? 'faulty' : `w${n}`))
    recorder.take({ claim, records: records(claim, words) })
    await until(() => claim.finished.length === 100, WAIT_MS)
    expect(sent.map(({ topic, record }) => [topic.name, decodePoison(record.value)])).toMatchObject([
      ['poison.v1', { kind: 'poison', head: { topic: 'attempts.v1', offset: 37, reason: 'handler_failed' } }],
    ])
    // Every offset passes once, in order, the faulty one leaving nothing.
    const passed = writes.flat()
    expect(passed.map(({ offset }) => offset)).toEqual(words.map((_, n) => n))
    expect(passed[37]!.entry.kind).toBe('nothing')
  })

  it('does not make poison of poison', async () => {
    const { recorder, sent } = make()
    const claim = new FakeClaim(POISON)
    recorder.take({ claim, records: records(claim, ['faulty']) })
    await until(() => claim.finished.length === 1, WAIT_MS)
    expect(sent).toEqual([])
  })

  it('undecodable: to poison before its offset passes', async () => {
    const { recorder, writes, sent } = make()
    const claim = new FakeClaim()
    recorder.take({ claim, records: records(claim, ['a', 'bad', 'b']) })
    await until(() => claim.finished.length === 3, WAIT_MS)
    expect(decodePoison(sent[0]!.record.value)).toMatchObject({ head: { reason: 'undecodable', detail: 'no JSON' } })
    expect(writes[0]!.map(({ entry }) => entry.kind)).toEqual(['poison', 'nothing', 'poison'])
  })

  it('infrastructure away: waits in place with its claims paused, and says how far behind it is', async () => {
    let away = true
    const { recorder, writes, faults } = make(async () => {
      if (away) throw Object.assign(new Error('terminating connection'), { code: '57P01' })
    })
    const claim = new FakeClaim()
    const late = new FakeClaim(ATTEMPTS, 1)
    recorder.take({ claim, records: records(claim, ['a']) })
    await until(() => claim.isPaused, WAIT_MS)
    recorder.take({ claim: late, records: records(late, ['b']) })
    expect(late.isPaused).toBe(true)
    expect(claim.finished).toEqual([])
    expect(recorder.lagSeconds(Date.now() + 5_000)).toBeGreaterThan(4.9)
    expect(recorder.readiness()).toBeUndefined()
    away = false
    await until(() => late.finished.length === 1, WAIT_MS)
    expect([claim.isPaused, late.isPaused]).toEqual([false, false])
    expect(writes.flat()).toHaveLength(2)
    expect(faults).toEqual([])
  })

  it('newer frame: stops before it, and only that partition', async () => {
    const { recorder, writes } = make()
    const claim = new FakeClaim()
    const other = new FakeClaim(ATTEMPTS, 1)
    recorder.take({ claim, records: records(claim, ['a', 'newer', 'b']) })
    recorder.take({ claim: other, records: records(other, ['c']) })
    await until(() => other.finished.length === 1, WAIT_MS)
    recorder.take({ claim, records: records(claim, ['d'], 3) })
    recorder.take({ claim: other, records: records(other, ['e'], 1) })
    await until(() => other.finished.length === 2, WAIT_MS)
    expect(claim.finished).toEqual([0])
    expect(claim.isPaused).toBe(true)
    expect(writes.flat()).toHaveLength(3)
    expect(recorder.readiness()).toMatch(/attempts\.v1\/0\/1 was written by a newer version/)
    claim.ending.abort()
    expect(recorder.readiness()).toBeUndefined()
  })

  it('leaves what a claim has lost to its next owner', async () => {
    const { recorder, writes } = make()
    const claim = new FakeClaim()
    const kept = new FakeClaim(ATTEMPTS, 1)
    recorder.take({ claim, records: records(claim, ['a']) })
    recorder.take({ claim: kept, records: records(kept, ['b']) })
    claim.ending.abort()
    await until(() => kept.finished.length === 1, WAIT_MS)
    expect(writes.flat().map(({ partition }) => partition)).toEqual([1])
  })

  it('closes the open batch at once when hurried, and leaves it when stopped', async () => {
    let away = false
    const { recorder, writes, faults } = make(async () => {
      if (away) throw new Error('away')
    })
    const claim = new FakeClaim()
    const openedAt = performance.now()
    recorder.take({ claim, records: records(claim, ['a']) })
    await turns()
    const before = writes.length
    // Unless this process got no turn until the batch was old enough.
    if (performance.now() - openedAt < 90) expect(before).toBe(0)
    recorder.hurry()
    await turns()
    expect(claim.finished).toEqual([0])
    away = true
    recorder.take({ claim, records: records(claim, ['b'], 1) })
    await until(() => claim.isPaused, WAIT_MS)
    recorder.stop()
    await until(() => recorder.lagSeconds() >= 0, WAIT_MS)
    expect(writes).toHaveLength(1)
    expect(faults).toEqual([])
  })
})

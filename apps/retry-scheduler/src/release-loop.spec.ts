import { afterEach, describe, expect, it } from '@jest/globals'
import { ProducerClosed, RecordRefused, type PartitionClaim } from '@posthorn/kafka'
import { until } from '@posthorn/testkit'
import {
  decodePoison,
  DELAYS,
  DUE,
  encodeDelivery,
  POISON,
  type TopicContract,
  type TopicRecord,
} from '@posthorn/topics'
import { LIVE_RUN, type TierName } from '@posthorn/webhook'
import { ReleaseLoop } from './release-loop.js'

const WAIT_MS = 30_000

interface Sent {
  readonly topic: TopicContract
  readonly record: TopicRecord
  readonly at: number
  acknowledge(): void
  refuse(error: Error): void
}

class HeldOutput {
  readonly sent: Sent[] = []
  hasRoom: Promise<void> = Promise.resolve()

  send(topic: TopicContract, record: TopicRecord): Promise<unknown> {
    return new Promise<void>((resolve, reject) => {
      this.sent.push({ topic, record, at: Date.now(), acknowledge: resolve, refuse: reject })
    })
  }

  room(): Promise<void> {
    return this.hasRoom
  }
}

class HeldClaim implements PartitionClaim {
  readonly finished: number[] = []
  readonly partition = 0
  readonly topic: TopicContract
  paused = false
  private readonly ownership = new AbortController()
  readonly revoked = this.ownership.signal

  constructor(tier: TierName) {
    this.topic = DELAYS[tier]
  }
  done(offset: number): void {
    this.finished.push(offset)
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  revoke(): void {
    this.ownership.abort()
  }
}

const fatal: Error[] = []
let loop: ReleaseLoop
afterEach(() => {
  loop.stop()
  fatal.length = 0
})

function start(output: HeldOutput, records = 1000, now = Date.now): ReleaseLoop {
  const metrics = { released: () => undefined, moved: () => undefined, poisoned: () => undefined }
  const limits = { records, bytes: 1e9 }
  loop = new ReleaseLoop({ now, output, limits, perSecond: 1000, metrics, fatal: error => fatal.push(error) })
  loop.start()
  return loop
}

const retry = (due: number): Buffer => {
  const event = {
    tenant: 't',
    id: '1',
    source: '/',
    type: 'a',
    time: '2026-01-31T12:00:00Z',
    contenttype: 'text/plain',
  }
  const rest = { webhookVersion: 1, tenant: 't', run: LIVE_RUN, attempt: 2, acceptedAt: 0, spills: 0 }
  const delivery = { id: 'd', webhook: 'webhook_1', due, event, origin: { partition: 0, offset: 0 }, ...rest }
  return encodeDelivery(delivery, Buffer.from('x')).value!
}

const batch = (claim: PartitionClaim, ...values: (Buffer | null)[]) => ({
  claim,
  records: values.map((value, offset) => {
    const { topic, partition } = claim
    return { topic, partition, offset, key: null, value, timestamp: Date.now() }
  }),
})

describe('ReleaseLoop', () => {
  it('hands the very bytes to due.v1, not before their time, and finishes once they are acknowledged', async () => {
    const output = new HeldOutput()
    const claim = new HeldClaim('0s')
    const due = Date.now() + 60
    const value = retry(due)
    start(output).accept(batch(claim, value))
    await until(() => output.sent.length > 0, WAIT_MS)
    const [{ topic, record, at, acknowledge }] = output.sent as [Sent]
    expect([topic, record]).toEqual([DUE, { key: Buffer.from('webhook_1'), value }])
    expect(at).toBeGreaterThanOrEqual(due)
    expect([claim.finished, loop.pending()]).toEqual([[], 1])
    acknowledge()
    await until(() => claim.finished.length === 1, WAIT_MS)
    expect(loop.pending()).toBe(0)
  })

  it('wakes for a record that is due before the one it sleeps for', async () => {
    // Asleep it would be late by a second nearly; a machine that stands still once makes one of them late.
    await until(async () => {
      const output = new HeldOutput()
      start(output).accept(batch(new HeldClaim('0s'), retry(Date.now() + 4000)))
      await new Promise(resolve => setTimeout(resolve, 30))
      const due = Date.now() + 20
      loop.accept(batch(new HeldClaim('0s'), retry(due)))
      await until(() => output.sent.length > 0, WAIT_MS)
      loop.stop()
      return output.sent[0]!.at - due < 500
    }, WAIT_MS)
  })

  it('moves what has long to wait into the largest tier that fits', async () => {
    const output = new HeldOutput()
    start(output).accept(batch(new HeldClaim('0s'), retry(Date.now() + 61 * 60_000)))
    await until(() => output.sent.length > 0, WAIT_MS)
    expect(output.sent[0]!.topic).toBe(DELAYS['1h'])
  })

  it('undecodable: to poison, and the rest goes on', async () => {
    const output = new HeldOutput()
    const claim = new HeldClaim('0s')
    start(output).accept(batch(claim, Buffer.from('\x01bad'), retry(0), null))
    await until(() => output.sent.length === 3, WAIT_MS)
    expect(output.sent.map(({ topic }) => topic.name).sort()).toEqual([DUE.name, POISON.name, POISON.name])
    const heads = output.sent.filter(({ topic }) => topic === POISON).map(({ record }) => decodePoison(record.value))
    expect(heads).toMatchObject([
      { head: { topic: 'delay.0s.v1', offset: 0, reason: 'undecodable', size: 4 }, body: Buffer.from('\x01bad') },
      { head: { offset: 2, size: 0 } },
    ])
    for (const { acknowledge } of output.sent) acknowledge()
    await until(() => claim.finished.length === 3, WAIT_MS)
  })

  it('refused by Kafka: to poison, so that it stops nothing', async () => {
    const output = new HeldOutput()
    const claim = new HeldClaim('0s')
    start(output).accept(batch(claim, retry(0)))
    await until(() => output.sent.length === 1, WAIT_MS)
    output.sent[0]!.refuse(new RecordRefused('too large'))
    await until(() => output.sent.length === 2, WAIT_MS)
    expect(decodePoison(output.sent[1]!.record.value)).toMatchObject({
      head: { reason: 'handler_failed', detail: 'too large' },
    })
    output.sent[1]!.acknowledge()
    await until(() => claim.finished.length === 1, WAIT_MS)
    expect(fatal).toEqual([])
  })

  it('newer frame: stops and leaves it unfinished', async () => {
    const output = new HeldOutput()
    const claim = new HeldClaim('0s')
    start(output).accept(batch(claim, Buffer.from([2, 0, 0, 0, 0]), Buffer.from([2, 0, 0, 0, 0])))
    await until(() => fatal.length > 0, WAIT_MS)
    expect(fatal.map(error => error.message)).toEqual([expect.stringContaining('delay.0s.v1/0/0 has frame version 2')])
    loop.accept(batch(new HeldClaim('0s'), retry(0)))
    await new Promise(resolve => setTimeout(resolve, 30))
    expect([output.sent, claim.finished]).toEqual([[], []])
  })

  it('drops what a lost partition had read ahead, and takes nothing late from it', async () => {
    const output = new HeldOutput()
    const lost = new HeldClaim('0s')
    const kept = new HeldClaim('5s')
    let later = 0
    const due = Date.now() + 4000
    start(output, 1000, () => Date.now() + later).open([lost, kept])
    loop.accept(batch(lost, retry(due), retry(due)))
    await new Promise(resolve => setTimeout(resolve, 20))
    lost.revoke()
    expect(loop.pending()).toBe(0)
    loop.accept(batch(lost, retry(0)))
    later = 6000
    const last = retry(1)
    loop.accept(batch(kept, last))
    await until(() => output.sent.length > 0, WAIT_MS)
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(output.sent.map(({ record }) => record.value)).toEqual([last])
    expect(loop.pending()).toBe(1)
  })

  it('pauses a partition at its share until half of it has been acknowledged', async () => {
    const output = new HeldOutput()
    const claim = new HeldClaim('0s')
    start(output, 8).open([claim, new HeldClaim('5s')])
    loop.accept(batch(claim, ...Array.from({ length: 4 }, () => retry(0))))
    expect(claim.paused).toBe(true)
    await until(() => output.sent.length === 4, WAIT_MS)
    for (const { acknowledge } of output.sent.slice(0, 2)) acknowledge()
    await until(() => !claim.paused, WAIT_MS)
  })

  it('S13 infrastructure away: records stay where they are, and it says by tier how long they are overdue', async () => {
    const output = new HeldOutput()
    const overdue = (tier: '0s' | '5s' | 'due') => loop.overdueByTier().get(tier)
    let openUp = () => {}
    output.hasRoom = new Promise(resolve => (openUp = resolve))
    const claim = new HeldClaim('0s')
    start(output).open([claim, new HeldClaim('5s')])
    loop.accept(batch(claim, retry(0)))
    await until(() => overdue('0s')! > 0.03, WAIT_MS)
    expect([output.sent, overdue('5s'), overdue('due')]).toEqual([[], 0, 0])
    openUp()
    await until(() => output.sent.length === 1, WAIT_MS)
    await until(() => overdue('due')! > 0, WAIT_MS)
    expect(overdue('0s')).toBe(0)
    output.sent[0]!.acknowledge()
    await until(() => overdue('due') === 0, WAIT_MS)
  })

  it('does not call the end of its producer a failure', async () => {
    const output = new HeldOutput()
    const claim = new HeldClaim('0s')
    start(output).accept(batch(claim, retry(0)))
    await until(() => output.sent.length === 1, WAIT_MS)
    output.sent[0]!.refuse(new ProducerClosed('closed'))
    await new Promise(resolve => setTimeout(resolve, 20))
    expect([fatal, claim.finished]).toEqual([[], []])
  })
})

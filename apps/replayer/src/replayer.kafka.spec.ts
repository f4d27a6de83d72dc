import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { encodeEvent, EVENTS } from '@posthorn/topics'
import { deliveryId, UNDELIVERED, type OutcomeKind } from '@posthorn/webhook'
import { anEvent, TENANT, TestReplayer } from './test-replayer.js'

const NEVER_WEBHOOK = 'webhook_00000000000000000000000000'
let test: TestReplayer

beforeAll(async () => {
  test = await TestReplayer.start()
  await test.run()
}, 60_000)
afterAll(() => test.stop(), 30_000)

const now = () => new Date().toISOString()
const failures = (count: number): OutcomeKind[] => Array.from({ length: count }, () => 'exhausted')
const undelivered = (webhook: string) => ({ kind: 'history', webhook, status: UNDELIVERED, to: now() }) as const

describe('a replay', () => {
  it('sends deliveries that were named again, as a run of its own, with the data as it was', async () => {
    const webhook = await test.webhook(['*'])
    const [first, , third] = await test.history(webhook, ['exhausted', 'exhausted', 'delivered'])
    const { id } = await test.create({ kind: 'deliveries', ids: [third!, first!] })
    const row = await test.until(id, ({ status }) => status === 'done')
    expect(row).toMatchObject({ total: 2, examined: 2, matched: 2, sent: 2, skipped: 0, claimedBy: null })
    const sent = await test.sent(id)
    expect(sent.map(({ delivery }) => delivery.id).sort()).toEqual([first, third].sort())
    expect(sent[0]!.delivery).toMatchObject({ run: id, attempt: 1, due: 0, webhook, webhookVersion: 1, tenant: TENANT })
    expect(sent[0]!.delivery.replayedAt! - sent[0]!.delivery.acceptedAt).toBeGreaterThan(3_000_000)
    expect(sent.map(({ data }) => data).sort()).toEqual(
      [`{"of": "${webhook}-agent.created-0"}`, `{"of": "${webhook}-agent.created-2"}`].sort(),
    )
  }, 30_000)

  it('takes what fits its filter and nothing else', async () => {
    const webhook = await test.webhook(['*'])
    const other = await test.webhook(['*'])
    await test.history(other, failures(3))
    const agents = await test.history(webhook, ['exhausted', 'delivered', 'gone', 'expired', 'retry', 'discarded'])
    await test.history(webhook, failures(2), 'agents.created')
    const { id } = await test.create({ ...undelivered(webhook), type: 'agent.*' })
    const row = await test.until(id, ({ status }) => status === 'done')
    expect(row).toMatchObject({ total: 4, examined: 4, sent: 4 })
    const wanted = [0, 2, 3, 5].map(n => agents[n]!)
    expect((await test.sent(id)).map(({ delivery }) => delivery.id).sort()).toEqual(wanted.sort())
    const start = Date.now() - 3600_000
    const late = await test.create({ ...undelivered(webhook), from: new Date(start + 1500).toISOString() })
    expect((await test.until(late.id, ({ status }) => status === 'done')).sent).toBeLessThan(6)
  }, 30_000)

  it('only counts in a dry run', async () => {
    const webhook = await test.webhook(['*'])
    await test.history(webhook, failures(250))
    const { id } = await test.create(undelivered(webhook), { dryRun: true, rate: 1 })
    const row = await test.until(id, ({ status }) => status === 'done')
    expect(row).toMatchObject({ total: 250, examined: 250, matched: 250, sent: 0, skipped: 0 })
    expect(await test.sent(id)).toEqual([])
  }, 30_000)

  it('keeps to its rate, pauses, resumes where it was, and is cancelled', async () => {
    const webhook = await test.webhook(['*'])
    await test.history(webhook, failures(300))
    const startedAt = Date.now()
    const { id } = await test.create(undelivered(webhook), { rate: 40 })
    await test.until(id, ({ sent }) => sent >= 40)
    expect(Date.now() - startedAt).toBeGreaterThan(700)
    await test.change(id, { status: 'paused' })
    const paused = await test.until(id, ({ claimedBy }) => claimedBy === null)
    await new Promise(resolve => setTimeout(resolve, 1500))
    expect(await test.sent(id)).toHaveLength(paused.sent)
    expect(paused.sent).toBeLessThan(300)
    await test.change(id, { status: 'queued', rate: 2000 })
    expect(await test.until(id, ({ status }) => status === 'done')).toMatchObject({ sent: 300, examined: 300 })
    const all = await test.sent(id)
    expect([all.length, new Set(all.map(({ delivery }) => delivery.id)).size]).toEqual([300, 300])

    const again = await test.create(undelivered(webhook), { rate: 10 })
    await test.until(again.id, ({ sent }) => sent > 0)
    await test.change(again.id, { status: 'cancelled' })
    const cancelled = await test.until(again.id, ({ claimedBy }) => claimedBy === null)
    await new Promise(resolve => setTimeout(resolve, 1000))
    expect(await test.sent(again.id)).toHaveLength(cancelled.sent)
    expect(cancelled).toMatchObject({ status: 'cancelled' })
  }, 60_000)

  it('skips what has no webhook or event any more', async () => {
    const [gone] = await test.history(NEVER_WEBHOOK, failures(1))
    const webhook = await test.webhook(['*'])
    const [kept, lost] = await test.history(webhook, failures(2))
    await test.pool.query('delete from history_events where id = $1', [`${webhook}-agent.created-1`])
    const { id } = await test.create({ kind: 'deliveries', ids: [gone!, kept!, lost!] })
    expect(await test.until(id, ({ status }) => status === 'done')).toMatchObject({ sent: 1, skipped: 2 })
    expect((await test.sent(id)).map(({ delivery }) => delivery.id)).toEqual([kept])
  }, 30_000)

  it('is shared by no two replayers, and passes to another when one stops', async () => {
    const webhook = await test.webhook(['*'])
    await test.history(webhook, failures(400))
    const second = await test.run()
    const jobs = await Promise.all([1, 2, 3, 4].map(() => test.create(undelivered(webhook), { rate: 200 })))
    await test.until(jobs[3]!.id, ({ sent }) => sent > 0)
    await second.stop()
    for (const { id } of jobs) {
      expect(await test.until(id, ({ status }) => status === 'done')).toMatchObject({ sent: 400 })
      expect(await test.sent(id)).toHaveLength(400)
    }
    expect(test.faults).toEqual([])
  }, 60_000)
})

describe('replays', () => {
  afterEach(() => {
    test.hasDeliverers = true
  })

  it('S11 are hardly ahead of deliverers that finish nothing, and can be paused there', async () => {
    test.hasDeliverers = false
    const webhook = await test.webhook(['*'])
    await test.history(webhook, failures(900))
    const { id } = await test.create(undelivered(webhook))
    const full = await test.until(id, ({ sent }) => sent > 475)
    await new Promise(resolve => setTimeout(resolve, 1500))
    const waiting = await test.sent(id)
    expect(waiting.length).toBeLessThanOrEqual(500)
    expect(full.status).toBe('running')
    await test.change(id, { status: 'paused' })
    await test.until(id, ({ claimedBy }) => claimedBy === null)
    await test.change(id, { status: 'queued' })
    // What it sent before it was paused is not counted again.
    await test.until(id, ({ sent }) => sent === 900)
    expect(await test.until(id, ({ status }) => status === 'done')).toMatchObject({ examined: 900, sent: 900 })
    expect(new Set((await test.sent(id)).map(({ delivery }) => delivery.id)).size).toBe(900)
  }, 60_000)

  it('S11 go on when the deliverers have finished what is before them', async () => {
    test.hasDeliverers = false
    const webhook = await test.webhook(['*'])
    await test.history(webhook, failures(900))
    const { id } = await test.create(undelivered(webhook))
    await test.until(id, ({ sent }) => sent > 475)
    test.hasDeliverers = true
    expect(await test.until(id, ({ status }) => status === 'done')).toMatchObject({ examined: 900, sent: 900 })
  }, 60_000)

  it('wait while Postgres is away, and go on where they were', async () => {
    const webhook = await test.webhook(['*'])
    await test.history(webhook, failures(200))
    const { id } = await test.create(undelivered(webhook), { rate: 80 })
    await test.until(id, ({ sent }) => sent > 40)
    await test.withoutPostgres(1500)
    expect(await test.until(id, ({ status }) => status === 'done')).toMatchObject({ examined: 200, sent: 200 })
    const sent = (await test.sent(id)).map(({ delivery }) => delivery.id)
    expect(new Set(sent).size).toBe(200)
    // What was sent and could not be saved is sent again, under the same run: the deliverer drops it.
    expect(sent.length).toBeLessThanOrEqual(200 + 2 * 20)
    expect(test.faults).toEqual([])
  }, 60_000)

  it('of one tenant, however many and slow, do not keep those of another from beginning', async () => {
    const webhook = await test.webhook(['*'])
    await test.history(webhook, failures(60))
    await test.tenant('other')
    const slow = await Promise.all(Array.from({ length: 12 }, () => test.create(undelivered(webhook), { rate: 1 })))
    await new Promise(resolve => setTimeout(resolve, 1500))
    const { id } = await test.create({ kind: 'deliveries', ids: ['none'] }, { tenant: 'other' })
    await test.until(id, ({ status }) => status === 'done', 'other')
    // Each of them takes a minute: none had to be over for it.
    const before = await Promise.all(slow.map(job => test.until(job.id, () => true)))
    expect(before.filter(({ status }) => !['queued', 'running'].includes(status))).toEqual([])
    for (const job of slow) await test.until(job.id, ({ sent }) => sent > 0)
    for (const job of slow) await test.change(job.id, { status: 'cancelled' })
  }, 60_000)
})

describe('a replay of the log', () => {
  it('brings a webhook the events from before it, in their order, that it takes and has not got', async () => {
    const from = now()
    const send = async (n: number, type: string) => {
      const event = { ...anEvent(`log-${n}`, type), partitionkey: 'one' }
      return { event, ...(await test.producer.send(EVENTS, encodeEvent(event, Buffer.from(`{"n":${n}}`)))) }
    }
    const events = []
    for (let n = 0; n < 30; n++) events.push(await send(n, n % 3 === 0 ? 'other.thing' : 'log.thing'))
    await test.producer.send(EVENTS, { key: Buffer.from('x'), value: Buffer.from('no event') })
    const webhook = await test.webhook(['log.*'], { data: { n: [{ numeric: ['<', 20] }] } })
    const to = new Date(Date.now() + 1).toISOString()
    const { id } = await test.create({ kind: 'log', webhook, from, to })
    const row = await test.until(id, ({ status }) => status !== 'queued' && status !== 'running')
    const wanted = events.filter(({ event }, n) => event.type === 'log.thing' && n < 20)
    expect(row).toMatchObject({ status: 'done', total: 31, examined: 31, matched: 13, sent: wanted.length, skipped: 0 })
    const sent = await test.sent(id)
    expect(sent.map(({ delivery }) => delivery.id)).toEqual(wanted.map(({ event }) => deliveryId(event, webhook)))
    expect(sent[0]!.delivery.origin).toEqual({ partition: wanted[0]!.partition, offset: wanted[0]!.offset })
    expect(sent.map(({ data }) => data)).toEqual(wanted.map(({ event }) => `{"n":${event.id.slice(4)}}`))
  }, 40_000)

  it('leaves out what was delivered, is under way, or became poison', async () => {
    const from = now()
    const webhook = await test.webhook(['taken.thing'])
    const events = await Promise.all(
      [0, 1, 2, 3].map(async n => {
        const event = anEvent(`${webhook}-taken.thing-${n}`, 'taken.thing')
        return { event, ...(await test.producer.send(EVENTS, encodeEvent(event, Buffer.from('{}')))) }
      }),
    )
    await test.history(webhook, ['delivered', 'retry', 'exhausted'], 'taken.thing')
    const refused = events[3]!
    await test.poisoned(refused.partition, refused.offset)
    const { id } = await test.create({ kind: 'log', webhook, from, to: new Date(Date.now() + 1).toISOString() })
    const row = await test.until(id, ({ status }) => status === 'done')
    expect(row).toMatchObject({ sent: 1, skipped: 3 })
    expect((await test.sent(id)).map(({ delivery }) => delivery.event.id)).toEqual([events[2]!.event.id])
  }, 40_000)

  it('goes on in its order where it was paused', async () => {
    const from = now()
    const events = Array.from({ length: 200 }, (_, n) => ({
      ...anEvent(`paused-${n}`, 'paused.thing'),
      partitionkey: 'p',
    }))
    await Promise.all(events.map(event => test.producer.send(EVENTS, encodeEvent(event, Buffer.from('{}')))))
    const webhook = await test.webhook(['paused.*'])
    const to = new Date(Date.now() + 1).toISOString()
    // Slow enough that it is not over before it is paused.
    const { id } = await test.create({ kind: 'log', webhook, from, to }, { rate: 40 })
    for (const sent of [30, 100]) {
      await test.until(id, row => row.sent >= sent)
      await test.change(id, { status: 'paused' })
      await test.until(id, ({ claimedBy }) => claimedBy === null)
      await test.change(id, { status: 'queued' })
    }
    await test.change(id, { rate: 2000 })
    expect(await test.until(id, ({ status }) => status === 'done')).toMatchObject({ sent: 200, examined: 200 })
    expect((await test.sent(id)).map(({ delivery }) => delivery.event.id)).toEqual(events.map(event => event.id))
  }, 40_000)

  it('fails with a reason when its webhook is gone', async () => {
    const { id } = await test.create({ kind: 'log', webhook: NEVER_WEBHOOK, from: '2026-01-01T00:00:00Z', to: now() })
    const row = await test.until(id, ({ status }) => status === 'failed')
    expect(row).toMatchObject({ failure: 'The webhook was deleted.', sent: 0 })
  }, 30_000)
})

// Longer than files are here: the rules of who is served next work together, on one set-up of queues and clock.
import { describe, expect, it } from '@jest/globals'
import type { WebhookLimits } from './pace.js'
import { WebhookQueues, type Queued } from './queues.js'
import { WORK_OVERHEAD } from './work.js'

interface Item extends Queued {
  readonly n: number
}
const item = (webhook: string, n: number, lane: Item['lane'] = 'fresh', bytes = 100, spills = 0): Item => ({
  delivery: { tenant: webhook.split(':')[0]!, webhook, spills },
  lane,
  bytes,
  n,
})
const label = (work: Item | undefined) => work && `${work.delivery.webhook}${work.n}`

const queuesOf = (sockets: number, perWebhook: number, limits: Partial<WebhookLimits> = {}) =>
  new WebhookQueues<Item>({ sockets, perWebhook, bytesPerWebhook: 32 * 1024 * 1024 }, () => ({
    status: 'active',
    url: 'https://example.com',
    ...limits,
  }))

/** Time passes from 0 to `now` in a process that keeps up. */
function calm(queues: WebhookQueues<Item>, now: number): void {
  for (let n = 0; n < 4; n++) queues.observe(0, false)
  queues.observe(now, false)
}

function takeAll(queues: WebhookQueues<Item>, now = 0): Item[] {
  const taken: Item[] = []
  for (let work = queues.take(now); work; work = queues.take(now)) taken.push(work)
  return taken
}

/** When the last of a backlog that came at once is delivered, with moved work back at its due time; ms. */
function deliverBacklog(size: number, attemptMs: number, perWebhook: number): number {
  const queues = queuesOf(1000, perWebhook)
  const moved = new Map<number, Item[]>()
  const running: { readonly work: Item; readonly endsAt: number }[] = []
  calm(queues, 0)
  for (let n = 0; n < size; n++) queues.push(item('a', n), 0)
  for (let now = 0, left = size; ; now += 10) {
    for (const { n, delivery } of moved.get(now) ?? []) queues.push(item('a', n, 'due', 100, delivery.spills + 1), now)
    for (; running.length > 0 && running[0]!.endsAt <= now; left--) queues.finish(running.shift()!.work, now)
    if (left === 0) return now
    running.push(...takeAll(queues, now).map(work => ({ work, endsAt: now + attemptMs })))
    if (now % 250 > 0) continue
    queues.observe(now, false)
    for (const { work, due } of queues.overflow(now)) {
      const back = Math.max(now + 10, Math.ceil(due / 10) * 10)
      moved.set(back, [...(moved.get(back) ?? []), work])
    }
  }
}

describe('S10 queues per webhook', () => {
  it('serve webhooks in turn, each in the order of arrival', () => {
    const queues = queuesOf(100, 10)
    for (const n of [1, 2, 3]) queues.push(item('a', n), 0)
    for (const n of [1, 2]) queues.push(item('b', n), 0)
    expect(takeAll(queues).map(label)).toEqual(['a1', 'b1', 'a2', 'b2', 'a3'])
    expect([queues.running, queues.waiting]).toEqual([5, 0])
  })

  it('serve tenants in turn, whatever the number of their webhooks', () => {
    const queues = queuesOf(100, 10)
    for (const n of [1, 2]) for (const webhook of ['t:a', 't:b', 't:c', 'u']) queues.push(item(webhook, n), 0)
    expect(takeAll(queues).map(label)).toEqual(['t:a1', 'u1', 't:b1', 'u2', 't:c1', 't:a2', 't:b2', 't:c2'])
  })

  it('leave a fifth of the sockets to others when a tenant has ever so many hanging webhooks', () => {
    const queues = queuesOf(100, 10)
    for (let n = 0; n < 500; n++) queues.push(item(`t:${n}`, n), 0)
    const hanging = takeAll(queues)
    expect(hanging).toHaveLength(80)
    queues.push(item('u', 1), 0)
    expect(takeAll(queues).map(label)).toEqual(['u1'])
    queues.finish(hanging[0]!, 1)
    queues.refresh(1)
    expect(takeAll(queues, 1)).toHaveLength(1)
  })

  it('serve due work before fresh, and bulk last, but at least every twentieth time', () => {
    const queues = queuesOf(1000, 500)
    queues.push(item('a', 1, 'bulk'), 0)
    for (let n = 2; n < 50; n++) queues.push(item('a', n), 0)
    queues.push(item('a', 99, 'due'), 0)
    const order = takeAll(queues)
    for (const work of order.slice()) {
      queues.finish(work, 1, 'fine')
      order.push(...takeAll(queues, 1))
    }
    expect(order[0]!.n).toBe(99)
    expect(order.findIndex(({ lane }) => lane === 'bulk')).toBe(19)
  })

  it('serve webhooks that have live work before those with bulk alone, but these at least every twentieth time', () => {
    const queues = queuesOf(1, 1)
    for (let n = 0; n < 40; n++) queues.push(item('bulk', n, 'bulk'), 0)
    for (let n = 0; n < 50; n++) for (const webhook of ['a', 'b']) queues.push(item(webhook, n), 0)
    const order: Item[] = []
    for (let work = queues.take(0); work; work = queues.take(0)) {
      order.push(work)
      queues.finish(work, 0, 'fine')
    }
    const places = order.flatMap(({ lane }, n) => (lane === 'bulk' ? [n] : []))
    expect(places).toHaveLength(40)
    expect(places.slice(0, 5)).toEqual([19, 39, 59, 79, 99])
    // The rest of it when all live work is done.
    expect(places.slice(5)).toEqual(Array.from({ length: 35 }, (_, n) => 105 + n))
  })

  it('start no more for one webhook than it may have, and go on when one ends', () => {
    const queues = queuesOf(100, 2)
    for (const n of [1, 2, 3]) queues.push(item('a', n), 0)
    const [first] = takeAll(queues)
    expect([queues.running, queues.waiting]).toEqual([2, 1])
    queues.finish(first!, 5)
    expect(label(queues.take(5))).toBe('a3')
  })

  it('leave sockets for others, however many webhooks hang', () => {
    const queues = queuesOf(64, 64)
    for (let hook = 0; hook < 20; hook++) for (let n = 0; n < 64; n++) queues.push(item(`hangs${hook}-`, n), 0)
    takeAll(queues)
    queues.push(item('fine', 1), 1)
    expect(label(queues.take(1))).toBe('fine1')
    expect(queues.running).toBeLessThan(64)
  })

  it('never have more requests than sockets', () => {
    const queues = queuesOf(3, 64)
    for (let hook = 0; hook < 10; hook++) queues.push(item(`w${hook}-`, 1), 0)
    expect(takeAll(queues)).toHaveLength(3)
    queues.refresh(0)
    expect(queues.take(0)).toBeUndefined()
  })

  it('keep what a webhook can take with all its requests, though few of them run now', () => {
    const queues = queuesOf(100, 50)
    for (let n = 0; n < 10_000; n++) queues.push(item('a', n), 0)
    expect(queues.take(0)).toBeDefined()
    // 5 ms each until one was measured, 50 at once: 20,000 in two seconds.
    expect(queues.overflow(0)).toEqual([])
  })

  it('spill what a hanging webhook does not come to in time, each with its own slot in order', () => {
    const queues = queuesOf(100, 10)
    for (let n = 0; n < 510; n++) queues.push(item('a', n, 'fresh', 100, 9), 0)
    takeAll(queues)
    expect(queues.overflow(0)).toEqual([])
    // After 4 s without an answer ten requests at once are 2.5 a second: five in 2 s.
    calm(queues, 4_000)
    const spills = queues.overflow(4_000)
    expect(queues.waiting).toBe(5)
    expect(spills.map(({ work }) => work.n)).toEqual(Array.from({ length: 495 }, (_, i) => 15 + i))
    expect(spills[0]!.due).toBe(4_000 + 5 * 400 + 400)
    expect(spills[1]!.due).toBe(spills[0]!.due + 400)
    // The next excess gets slots after those, not the same ones again.
    for (const n of [600, 601]) queues.push(item('a', n, 'fresh', 100, 9), 4_000)
    expect(queues.overflow(4_000)[0]!.due).toBe(spills.at(-1)!.due + 400)
  })

  it.each([
    [0, 10_000],
    [1, 20_000],
    [9, 600_000],
  ])('spill what was moved %d times at most %d ms ahead', (spilled, ahead) => {
    const queues = queuesOf(100, 1)
    for (let n = 0; n < 100; n++) queues.push(item('a', n, 'fresh', 100, spilled), 0)
    takeAll(queues)
    calm(queues, 60_000)
    const spills = queues.overflow(60_000)
    expect(Math.max(...spills.map(({ due }) => due))).toBe(60_000 + ahead)
  })

  it('keep no more than that where there are fewer sockets than requests a webhook may have', () => {
    const queues = queuesOf(20, 20)
    for (let n = 0; n < 16_010; n++) queues.push(item('a', n), 0)
    expect(takeAll(queues)).toHaveLength(10)
    // 5 ms each, ten at once: 16,000 in the eight seconds of one that is alone.
    expect(queues.overflow(0)).toEqual([])
    queues.push(item('a', 99_999), 0)
    expect(queues.overflow(0)).toHaveLength(1)
  })

  it('keep less for a webhook when others need the room, down to what it takes in two seconds', () => {
    const queues = queuesOf(20, 20)
    for (let hook = 0; hook < 3; hook++) queues.push(item(`w${hook}-`, 0), 0)
    for (let n = 0; n < 6_000; n++) queues.push(item('a', n), 0)
    // A quarter of the 20,000 of a partition's window and one fetch.
    expect(queues.overflow(0)).toHaveLength(1_000)
    for (let hook = 3; hook < 20; hook++) queues.push(item(`w${hook}-`, 0), 0)
    expect(queues.overflow(0)).toHaveLength(1_000)
    expect(queues.waiting).toBe(4_000 + 20)
  })

  it.each([
    [3_000, 100, 10],
    [600, 1_000, 5],
  ])('move a backlog of %d so that its webhook is never idle, at %d ms an attempt', (size, attemptMs, perWebhook) => {
    const busy = (size * attemptMs) / perWebhook
    expect(deliverBacklog(size, attemptMs, perWebhook)).toBeLessThan(busy * 1.05)
  })

  it('promise sooner when a webhook has become quicker', () => {
    const queues = queuesOf(100, 1)
    for (let n = 0; n < 50; n++) queues.push(item('a', n, 'fresh', 100, 9), 0)
    const first = takeAll(queues)
    calm(queues, 4_000)
    const slow = queues.overflow(4_000).at(-1)!.due
    for (const work of first) queues.finish(work, 4_001)
    for (let n = 100; n < 15_000; n++) queues.push(item('a', n, 'fresh', 100, 9), 4_001)
    for (let now = 4_002; now < 4_102; now += 2) for (const work of takeAll(queues, now)) queues.finish(work, now + 1)
    const spills = queues.overflow(4_102)
    expect(spills.length).toBeGreaterThan(0)
    expect(spills[0]!.due).toBeLessThan(slow)
  })

  it('spill replays first, and what has already been moved last', () => {
    const queues = queuesOf(100, 1)
    queues.push(item('a', 0), 0)
    takeAll(queues)
    for (const [n, lane] of [
      [1, 'due'],
      [2, 'bulk'],
      [3, 'fresh'],
    ] as const)
      queues.push(item('a', n, lane), 0)
    calm(queues, 10_000)
    const spills = queues.overflow(10_000)
    expect(spills.map(({ work }) => work.lane).sort()).toEqual(['bulk', 'fresh'])
    expect(queues.waiting).toBe(1)
  })

  it('do not spill a webhook that keeps up', () => {
    const queues = queuesOf(100, 10)
    for (let n = 0; n < 600; n++) queues.push(item('a', n), 0)
    for (let now = 0; now < 200; now += 2) for (const work of takeAll(queues, now)) queues.finish(work, now + 2)
    expect(queues.overflow(200)).toEqual([])
  })

  it('do not spill for one straggler among quick requests', () => {
    const queues = queuesOf(100, 10)
    for (let n = 0; n < 3_000; n++) queues.push(item('a', n), 0)
    const [, ...others] = takeAll(queues)
    calm(queues, 9_000)
    for (const work of others) queues.finish(work, 3)
    takeAll(queues, 9_000)
    expect(queues.overflow(9_001)).toEqual([])
  })

  it('in a strained process spill only what hangs while others go on', () => {
    const queues = queuesOf(100, 10)
    for (let n = 0; n < 100; n++) queues.push(item('hangs', n), 0)
    takeAll(queues)
    queues.observe(0, true)
    queues.observe(5_000, true)
    expect(queues.overflow(5_000)).toEqual([])
    for (let n = 0; n < 300; n++) {
      queues.push(item('fine', n), 5_000)
      for (const work of takeAll(queues, 5_000)) queues.finish(work, 5_001)
    }
    const spills = queues.overflow(5_000)
    expect(new Set(spills.map(({ work }) => work.delivery.webhook))).toEqual(new Set(['hangs']))
    expect(queues.waiting).toBe(4)
  })

  it.each([1024 * 1024, 2048])('spill by memory too: of records that take %d bytes all but 32', taken => {
    const limits = { sockets: 100, perWebhook: 1, bytesPerWebhook: 32 * taken }
    const queues = new WebhookQueues<Item>(limits, () => ({ status: 'active', url: 'https://example.com' }))
    for (let n = 0; n < 40; n++) queues.push(item('a', n, 'fresh', taken - WORK_OVERHEAD), 0)
    expect(queues.overflow(0)).toHaveLength(8)
    expect(queues.waiting).toBe(32)
  })

  it('let go of what is not wanted any more', () => {
    const queues = queuesOf(100, 1)
    for (let n = 0; n < 4; n++) queues.push(item('a', n), 0)
    expect(queues.remove(({ n }) => n % 2 === 0).map(label)).toEqual(['a0', 'a2'])
    expect(queues.waiting).toBe(2)
    expect(label(queues.take(0))).toBe('a1')
  })

  it('S3 start no more than the rate limit of a webhook lets, and wake for the next one', () => {
    const queues = queuesOf(100, 10, { rateLimit: { requests: 10, per: 'second' } })
    const started: number[] = []
    for (let n = 0; n < 20; n++) queues.push(item('a', n), 1_000)
    for (let now = 1_000; now < 3_000; now = queues.wakesAt)
      for (const work of takeAll(queues, now)) {
        started.push(now)
        queues.finish(work, now, 'fine')
      }
    expect(started).toHaveLength(20)
    // The first two within the tenth of a second that may be made up for.
    expect(started.at(-1)! - started[0]!).toBeGreaterThanOrEqual(1_700)
    expect(queues.wakesAt).toBe(Infinity)
  })

  it('S3 spill the excess of a rate limit with the slots of the rate, in order, and keep little', () => {
    const queues = queuesOf(100, 10, { rateLimit: { requests: 2, per: 'second' } })
    for (let n = 0; n < 100; n++) queues.push(item('a', n), 0)
    const running = takeAll(queues, 0)
    expect(running).toHaveLength(1)
    const spills = queues.overflow(0)
    expect(queues.waiting).toBeLessThanOrEqual(4)
    expect(new Set(spills.map(({ reason }) => reason))).toEqual(new Set(['rate_limit']))
    expect(spills.map(({ work }) => work.n)).toEqual(spills.map((_, i) => i + 100 - spills.length))
    for (const [i, { due }] of spills.entries()) if (i > 0) expect(due - spills[i - 1]!.due).toBe(500)
    // The last of a hundred at two a second.
    expect(spills.at(-1)!.due).toBeGreaterThan(48_000)
    expect(spills.at(-1)!.due).toBeLessThan(51_000)
  })

  it('S3 keep nothing in memory that the rate limit lets start only later', () => {
    const queues = queuesOf(100, 10, { rateLimit: { requests: 1, per: 'minute' } })
    for (let n = 0; n < 5; n++) queues.push(item('a', n), 0)
    expect(takeAll(queues, 0)).toHaveLength(1)
    expect(queues.overflow(0).map(({ due }) => due)).toEqual([59_000, 119_000, 179_000, 239_000])
    expect(queues.waiting).toBe(0)
  })

  it('S3 obey a changed rate limit from the next refresh on', () => {
    const active = { status: 'active', url: 'https://example.com' } as const
    let limits: WebhookLimits = { ...active, rateLimit: { requests: 1, per: 'minute' } }
    const queues = new WebhookQueues<Item>(
      { sockets: 100, perWebhook: 10, bytesPerWebhook: 32 * 1024 * 1024 },
      () => limits,
    )
    for (let n = 0; n < 5; n++) queues.push(item('a', n), 0)
    expect(takeAll(queues, 0)).toHaveLength(1)
    limits = { ...active, rateLimit: { requests: 10, per: 'second' } }
    queues.refresh(200)
    expect(takeAll(queues, 200)).toHaveLength(2)
    limits = { ...active, maxConcurrency: 4 }
    queues.refresh(250)
    expect(takeAll(queues, 250)).toHaveLength(1)
  })

  it.each(['disabled', 'deleted'] as const)('S3 hand out what waits for a %s webhook at once', status => {
    const rateLimit = { requests: 1, per: 'minute' } as const
    let limits: WebhookLimits = { status: 'active', url: 'https://example.com', rateLimit }
    const queues = new WebhookQueues<Item>(
      { sockets: 100, perWebhook: 10, bytesPerWebhook: 32 * 1024 * 1024 },
      () => limits,
    )
    for (let n = 0; n < 5; n++) queues.push(item('a', n), 0)
    queues.finish(takeAll(queues, 0)[0]!, 10, 'overloaded', 60_000)
    limits = { ...limits, status }
    queues.refresh(20)
    expect(takeAll(queues, 20)).toHaveLength(4)
  })

  it('S10 start nothing of a webhook before the time that its Retry-After names, an hour at most', () => {
    const queues = queuesOf(100, 10)
    queues.push(item('a', 0), 0)
    const [first] = takeAll(queues, 0)
    queues.push(item('a', 9), 0)
    queues.finish(first!, 10, 'overloaded', 5_000)
    expect(queues.take(5_009)).toBeUndefined()
    expect(queues.wakesAt).toBe(5_019)
    expect(queues.overflow(20)).toMatchObject([{ due: expect.any(Number), reason: 'retry_after' }])
    queues.push(item('a', 10), 5_100)
    const next = queues.take(5_100)
    expect(label(next)).toBe('a10')
    queues.finish(next!, 6_000, 'overloaded', 86_400_000)
    queues.push(item('a', 11), 6_000)
    expect(queues.take(6_000 + 3_599_999)).toBeUndefined()
    expect(label(queues.take(6_000 + 3_600_009))).toBe('a11')
  })

  it('S10 try nothing while a circuit is open but one probe, and serve the others', () => {
    const queues = queuesOf(100, 10)
    const fail = (now: number) => {
      queues.push(item('a', now), now)
      return queues.finish(queues.take(now)!, now + 1, 'failing')
    }
    let now = 0
    for (now = 0; fail(now) !== 'opened'; now += 300) expect(now).toBeLessThan(10_000)
    expect(queues.openCircuits).toBe(1)
    for (let n = 0; n < 5; n++) queues.push(item('a', n), now + 2)
    queues.push(item('b', 1), now + 2)
    expect(takeAll(queues, now + 2).map(label)).toEqual(['b1'])
    const spills = queues.overflow(now + 2)
    expect(spills).toHaveLength(5)
    for (const { due, reason } of spills) expect([due >= now + 5_001, reason]).toEqual([true, 'circuit'])
    for (let n = 0; n < 5; n++) queues.push(item('a', n, 'due'), now + 5_001)
    const probes = takeAll(queues, now + 5_001)
    expect(probes.map(label)).toEqual(['a0'])
    expect(queues.finish(probes[0]!, now + 5_020, 'fine')).toBe('closed')
    expect(takeAll(queues, now + 5_020)).toHaveLength(4)
    expect(queues.openCircuits).toBe(0)
  })

  it('S10 probe with fresh work in turn: what was moved may all be refused once more', () => {
    const queues = queuesOf(100, 10)
    let now = 0
    for (let change; change !== 'opened'; now += 300) {
      queues.push(item('a', 0), now)
      change = queues.finish(queues.take(now)!, now + 1, 'failing')
    }
    for (let n = 1; n <= 3; n++) queues.push(item('a', n, 'due'), now)
    for (let n = 4; n <= 5; n++) queues.push(item('a', n), now)
    const probes: Item[] = []
    for (; probes.length < 4; now += 60_000) {
      const [probe] = takeAll(queues, now + 60_000)
      probes.push(probe!)
      queues.finish(probe!, now + 60_001, 'failing')
    }
    expect(probes.map(label)).toEqual(['a4', 'a1', 'a5', 'a2'])
  })

  it('S10 forget what is known of a webhook that has moved', () => {
    let url = 'https://example.com/down'
    const queues = new WebhookQueues<Item>({ sockets: 100, perWebhook: 10, bytesPerWebhook: 32 * 1024 * 1024 }, () => ({
      status: 'active',
      url,
    }))
    queues.push(item('a', 0), 0)
    queues.finish(queues.take(0)!, 10, 'overloaded', 60_000)
    queues.push(item('a', 1), 10)
    expect(queues.take(10)).toBeUndefined()
    url = 'https://example.com/up'
    queues.refresh(20)
    expect(label(queues.take(20))).toBe('a1')
  })

  it('S10 take a flood to a quick webhook at full speed: 64 at once, of 16 ms each', () => {
    const queues = queuesOf(1024, 64)
    const running: { readonly work: Item; readonly endsAt: number }[] = []
    for (let n = 0; n < 8_000; n++) queues.push(item('a', n), 0)
    let now = 0
    for (; queues.waiting + queues.running > 0; now++) {
      while (running.length > 0 && running[0]!.endsAt <= now) queues.finish(running.shift()!.work, now, 'fine')
      running.push(...takeAll(queues, now).map(work => ({ work, endsAt: now + 16 })))
      if (now % 250 > 0) continue
      queues.observe(now, false)
      expect(queues.overflow(now)).toEqual([])
    }
    // 8,000 at 4,000 a second, and the two rounds in which its concurrency grows.
    expect(now).toBeLessThan(2_000 + 3 * 16)
  })
})

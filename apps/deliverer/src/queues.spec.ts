import { describe, expect, it } from '@jest/globals'
import { WebhookQueues, type Queued } from './queues.js'

interface Item extends Queued {
  readonly n: number
}
const item = (webhook: string, n: number, lane: Item['lane'] = 'fresh', bytes = 100, spills = 0): Item => ({
  delivery: { webhook, spills },
  lane,
  bytes,
  n,
})
const label = (work: Item | undefined) => work && `${work.delivery.webhook}${work.n}`

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
  const queues = new WebhookQueues<Item>({ sockets: 1000, perWebhook })
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
    const queues = new WebhookQueues<Item>({ sockets: 100, perWebhook: 10 })
    for (const n of [1, 2, 3]) queues.push(item('a', n), 0)
    for (const n of [1, 2]) queues.push(item('b', n), 0)
    expect(takeAll(queues).map(label)).toEqual(['a1', 'b1', 'a2', 'b2', 'a3'])
    expect([queues.running, queues.waiting]).toEqual([5, 0])
  })

  it('serve due work before fresh, and bulk last, but at least every twentieth time', () => {
    const queues = new WebhookQueues<Item>({ sockets: 1000, perWebhook: 500 })
    queues.push(item('a', 1, 'bulk'), 0)
    for (let n = 2; n < 50; n++) queues.push(item('a', n), 0)
    queues.push(item('a', 99, 'due'), 0)
    const order = takeAll(queues)
    expect(order[0]!.n).toBe(99)
    expect(order.findIndex(({ lane }) => lane === 'bulk')).toBe(19)
  })

  it('start no more for one webhook than it may have, and go on when one ends', () => {
    const queues = new WebhookQueues<Item>({ sockets: 100, perWebhook: 2 })
    for (const n of [1, 2, 3]) queues.push(item('a', n), 0)
    const [first] = takeAll(queues)
    expect([queues.running, queues.waiting]).toEqual([2, 1])
    queues.finish(first!, 5)
    expect(label(queues.take(5))).toBe('a3')
  })

  it('leave sockets for others, however many webhooks hang', () => {
    const queues = new WebhookQueues<Item>({ sockets: 64, perWebhook: 64 })
    for (let hook = 0; hook < 20; hook++) for (let n = 0; n < 64; n++) queues.push(item(`hangs${hook}-`, n), 0)
    takeAll(queues)
    queues.push(item('fine', 1), 1)
    expect(label(queues.take(1))).toBe('fine1')
    expect(queues.running).toBeLessThan(64)
  })

  it('never have more requests than sockets', () => {
    const queues = new WebhookQueues<Item>({ sockets: 3, perWebhook: 64 })
    for (let hook = 0; hook < 10; hook++) queues.push(item(`w${hook}-`, 1), 0)
    expect(takeAll(queues)).toHaveLength(3)
    queues.refresh(0)
    expect(queues.take(0)).toBeUndefined()
  })

  it('keep what a webhook can take with all its requests, though few of them run now', () => {
    const queues = new WebhookQueues<Item>({ sockets: 100, perWebhook: 50 })
    for (let n = 0; n < 10_000; n++) queues.push(item('a', n), 0)
    expect(queues.take(0)).toBeDefined()
    // 5 ms each until one was measured, 50 at once: 20,000 in two seconds.
    expect(queues.overflow(0)).toEqual([])
  })

  it('spill what a hanging webhook does not come to in time, each with its own slot in order', () => {
    const queues = new WebhookQueues<Item>({ sockets: 100, perWebhook: 10 })
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
    const queues = new WebhookQueues<Item>({ sockets: 100, perWebhook: 1 })
    for (let n = 0; n < 100; n++) queues.push(item('a', n, 'fresh', 100, spilled), 0)
    takeAll(queues)
    calm(queues, 60_000)
    const spills = queues.overflow(60_000)
    expect(Math.max(...spills.map(({ due }) => due))).toBe(60_000 + ahead)
  })

  it('keep no more than that where there are fewer sockets than requests a webhook may have', () => {
    const queues = new WebhookQueues<Item>({ sockets: 20, perWebhook: 20 })
    for (let n = 0; n < 16_010; n++) queues.push(item('a', n), 0)
    expect(takeAll(queues)).toHaveLength(10)
    // 5 ms each, ten at once: 16,000 in the eight seconds of one that is alone.
    expect(queues.overflow(0)).toEqual([])
    queues.push(item('a', 99_999), 0)
    expect(queues.overflow(0)).toHaveLength(1)
  })

  it('keep less for a webhook when others need the room, down to what it takes in two seconds', () => {
    const queues = new WebhookQueues<Item>({ sockets: 20, perWebhook: 20 })
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
    const queues = new WebhookQueues<Item>({ sockets: 100, perWebhook: 1 })
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
    const queues = new WebhookQueues<Item>({ sockets: 100, perWebhook: 1 })
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
    const queues = new WebhookQueues<Item>({ sockets: 100, perWebhook: 10 })
    for (let n = 0; n < 600; n++) queues.push(item('a', n), 0)
    for (let now = 0; now < 200; now += 2) for (const work of takeAll(queues, now)) queues.finish(work, now + 2)
    expect(queues.overflow(200)).toEqual([])
  })

  it('do not spill for one straggler among quick requests', () => {
    const queues = new WebhookQueues<Item>({ sockets: 100, perWebhook: 10 })
    for (let n = 0; n < 3_000; n++) queues.push(item('a', n), 0)
    const [, ...others] = takeAll(queues)
    calm(queues, 9_000)
    for (const work of others) queues.finish(work, 3)
    takeAll(queues, 9_000)
    expect(queues.overflow(9_001)).toEqual([])
  })

  it('in a strained process spill only what hangs while others go on', () => {
    const queues = new WebhookQueues<Item>({ sockets: 100, perWebhook: 10 })
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

  it('spill by bytes too, down to one', () => {
    const queues = new WebhookQueues<Item>({ sockets: 100, perWebhook: 1 })
    for (let n = 0; n < 40; n++) queues.push(item('a', n, 'fresh', 1024 * 1024), 0)
    expect(queues.overflow(0)).toHaveLength(8)
    expect(queues.waiting).toBe(32)
  })

  it('let go of what is not wanted any more', () => {
    const queues = new WebhookQueues<Item>({ sockets: 100, perWebhook: 1 })
    for (let n = 0; n < 4; n++) queues.push(item('a', n), 0)
    expect(queues.remove(({ n }) => n % 2 === 0).map(label)).toEqual(['a0', 'a2'])
    expect(queues.waiting).toBe(2)
    expect(label(queues.take(0))).toBe('a1')
  })
})

// Longer than files are here: the order of sending, recording and finishing needs one set-up of the whole loop.
import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, it } from '@jest/globals'
import { ProxyFailed, type EgressRequest, type EgressResult } from '@posthorn/egress'
import { ProducerClosed, RecordRefused, type ConsumedRecord, type PartitionClaim } from '@posthorn/kafka'
import { createLogger } from '@posthorn/telemetry'
import {
  decodeAttempt,
  decodeDeadLetter,
  decodeDelivery,
  decodePoison,
  BULK,
  DELIVERIES,
  DUE,
  encodeDelivery,
  type Attempt,
  type TopicContract,
  type TopicRecord,
} from '@posthorn/topics'
import { DEFAULT_RETRY_POLICY, secretFrom, type Delivery, type Webhook } from '@posthorn/webhook'
import { untraced } from './attempt-trace.js'
import { DelivererMetrics } from './deliverer-metrics.js'
import { DeliveryLoop } from './delivery-loop.js'
import type { PlaceWrite } from './parked-places.js'
import { WebhookCache } from './webhook-cache.js'

const SECRET = secretFrom(Buffer.alloc(32, 7))
const NOW = Date.now()

const webhookOf = (more: Partial<Webhook> = {}): Webhook => ({
  id: 'webhook_1',
  tenant: 'default',
  version: 3,
  status: 'active',
  url: 'https://user:pw@example.com/hook?token=x',
  method: 'POST',
  events: ['*'],
  format: 'standard',
  sealedSecrets: ['sealed'],
  retryPolicy: { ...DEFAULT_RETRY_POLICY, jitter: 0, maxAgeMs: 3600_000 },
  ...more,
})
const deliveryOf = (more: Partial<Delivery> = {}): Delivery => ({
  id: 'delivery_1',
  webhook: 'webhook_1',
  webhookVersion: 3,
  tenant: 'default',
  run: '0',
  attempt: 1,
  due: 0,
  acceptedAt: NOW,
  origin: { partition: 0, offset: 9 },
  spills: 0,
  event: {
    tenant: 'default',
    id: 'e1',
    source: '/test',
    type: 'agent.created',
    time: '2026-01-01T00:00:00Z',
    contenttype: 'application/json',
  },
  ...more,
})

interface Sent {
  readonly topic: string
  readonly record: TopicRecord
  readonly acknowledge: () => void
}

/** The loop with everything around it made of paper: what it asks for is seen, and answered by the test. */
function setUp(options: { webhook?: Webhook | undefined; acknowledge?: boolean; healthy?: boolean } = {}) {
  const seen = {
    requests: [] as EgressRequest[],
    sent: [] as Sent[],
    parked: [] as (PlaceWrite & { readonly acknowledge: () => void })[],
    done: [] as number[],
    fatal: [] as Error[],
    alerts: [] as string[],
  }
  const state = {
    webhook: 'webhook' in options ? options.webhook : webhookOf(),
    answer: (): EgressResult | Promise<EgressResult> => ({ kind: 'response', status: 200, durationMs: 1 }),
    send: (_topic: TopicContract, _record: TopicRecord): void => undefined,
    unseal: (): string => SECRET,
    healthy: options.healthy ?? true,
  }
  const revoke = new AbortController()
  const claim: PartitionClaim = {
    topic: DELIVERIES,
    partition: 2,
    done: offset => void seen.done.push(offset),
    pause: () => undefined,
    resume: () => undefined,
    revoked: revoke.signal,
  }
  const loop = new DeliveryLoop({
    webhooks: {
      get: () => state.webhook,
      values: () => (state.webhook ? [state.webhook] : []),
      whole: Promise.resolve(),
      readToEnd: () => Promise.resolve(),
      waitFor: () => Promise.resolve(false),
    },
    cache: new WebhookCache({ unseal: () => state.unseal() }, webhook => void seen.alerts.push(webhook.id), {
      apiUrl: '',
      headerPrefix: 'webhook',
    }),
    proxyFailed: error => void seen.alerts.push(error.fault),
    egress: {
      send: request => {
        seen.requests.push(request)
        return Promise.resolve().then(() => state.answer())
      },
    },
    output: {
      send: (topic, record, sendOptions) =>
        new Promise((resolve, reject) => {
          try {
            state.send(topic, record)
          } catch (error) {
            return reject(error as Error)
          }
          const acknowledge = () => resolve({ partition: sendOptions?.partition ?? 0, offset: 0 })
          seen.sent.push({ topic: `${topic.name}/${sendOptions?.partition ?? '-'}`, record, acknowledge })
          if (options.acknowledge !== false) acknowledge()
        }),
    },
    tail: { read: () => Promise.resolve() },
    places: {
      all: () => Promise.resolve([]),
      write: write => new Promise(acknowledge => seen.parked.push({ ...write, acknowledge })),
      overwritten: () => undefined,
      removed: () => undefined,
    },
    secondReader: () => ({ wake: () => Promise.resolve(), close: () => Promise.resolve() }),
    trace: untraced,
    metrics: new DelivererMetrics(),
    lines: { attempted: () => undefined },
    logger: createLogger('silent', 'test'),
    limits: { sockets: 10, perWebhook: 5, bytesPerWebhook: 32 * 1024 * 1024 },
    healthy: () => state.healthy,
    fatal: error => void seen.fatal.push(error),
  })
  const give = (record: TopicRecord, offset: number, topic = DELIVERIES) => {
    const consumed: ConsumedRecord = { ...record, headers: {}, timestamp: NOW, topic, partition: 2, offset }
    loop.enqueue({ claim: topic === DELIVERIES ? claim : { ...claim, topic }, records: [consumed] })
  }
  const deliver = (more: Partial<Delivery> = {}, offset = 0) =>
    give(encodeDelivery(deliveryOf(more), Buffer.from('{"a":1}')), offset)
  void loop.assigned([claim])
  stops.push(() => loop.stop(0))
  return { seen, state, loop, give, deliver, claim, revoke }
}

const stops: (() => Promise<void>)[] = []
afterEach(async () => void (await Promise.all(stops.splice(0).map(stop => stop()))))
/** By turns of the event loop and not by time alone: where the machine stood still, nothing has happened either. */
const settled = async () => {
  for (let n = 0; n < 20; n++) await new Promise(resolve => setTimeout(resolve, 1))
}
const topicsOf = (sent: readonly Sent[]) => sent.map(({ topic }) => topic)
const attemptIn = ({ record }: Sent): Attempt => {
  const read = decodeAttempt(record.value)
  if (read.kind === 'bad') throw new Error(read.detail)
  return read.attempt
}

describe('S6 the request', () => {
  it('is signed over id, timestamp and the bytes sent, with every active secret', async () => {
    const { seen, deliver } = setUp({ webhook: webhookOf({ sealedSecrets: ['new', 'old'] }) })
    deliver()
    await settled()
    const [request] = seen.requests
    const { headers, body } = request!
    expect(Buffer.from(body).toString()).toBe(
      '{"type":"agent.created","timestamp":"2026-01-01T00:00:00Z","data":{"a":1}}',
    )
    const expected = createHmac('sha256', Buffer.alloc(32, 7))
      .update(`delivery_1.${headers['webhook-timestamp']}.`)
      .update(body)
      .digest('base64')
    expect(headers).toEqual({
      'content-type': 'application/json',
      'webhook-id': 'delivery_1',
      'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
      'webhook-signature': `v1,${expected} v1,${expected}`,
    })
    expect(request).toMatchObject({ url: webhookOf().url, method: 'POST', timeoutMs: 10_000 })
  })
})

describe('S11 what is replayed', () => {
  const ids = (seen: { readonly requests: readonly EgressRequest[] }) =>
    seen.requests.map(({ headers }) => headers['webhook-id'])

  it('waits behind live work of its webhook, also when it was moved to a delay topic and is back', async () => {
    const { seen, state, give, deliver } = setUp({ webhook: webhookOf({ maxConcurrency: 1 }) })
    let answer!: () => void
    state.answer = () =>
      new Promise(resolve => (answer = () => resolve({ kind: 'response', status: 200, durationMs: 1 })))
    deliver({ id: 'first' }, 0)
    const back = { spills: 1, due: NOW }
    give(encodeDelivery(deliveryOf({ ...back, id: 'replayed', bulk: true }), Buffer.from('1')), 10, DUE)
    give(encodeDelivery(deliveryOf({ ...back, id: 'retried' }), Buffer.from('1')), 11, DUE)
    give(encodeDelivery(deliveryOf({ run: 'replay_1', id: 'fresh from a replay' }), Buffer.from('1')), 20, BULK)
    deliver({ id: 'second' }, 1)
    for (let n = 1; n <= 5; n++) {
      await settled()
      expect(seen.requests).toHaveLength(n)
      answer()
    }
    await settled()
    expect(ids(seen)).toEqual(['first', 'retried', 'second', 'replayed', 'fresh from a replay'])
    expect(seen.done.toSorted((a, b) => a - b)).toEqual([0, 1, 10, 11, 20])
  })

  it.each([
    ['to be tried again', () => NOW, 500],
    ['as its time has not come', () => Date.now() + 60_000, 200],
  ])('says so where it is moved to a delay topic %s', async (_why, due, status) => {
    const { seen, state, give, deliver } = setUp()
    state.answer = () => ({ kind: 'response', status, durationMs: 1 })
    give(encodeDelivery(deliveryOf({ id: 'replayed', due: due() }), Buffer.from('1')), 0, BULK)
    deliver({ id: 'live', due: due() }, 1)
    await settled()
    const moved = seen.sent
      .filter(({ topic }) => topic.startsWith('delay.'))
      .map(({ record }) => decodeDelivery(record.value))
    expect(moved).toHaveLength(2)
    expect(moved.map(read => read.kind === 'delivery' && [read.delivery.id, read.delivery.bulk])).toEqual(
      expect.arrayContaining([
        ['replayed', true],
        ['live', undefined],
      ]),
    )
  })

  it('comes in at a rate, and is left to the next owner where it has not come in', async () => {
    const { seen, loop, give, claim, revoke } = setUp()
    for (let n = 0; n < 100; n++) {
      const delivery = deliveryOf({ id: `delivery_${n}`, run: 'replay_1' })
      give(encodeDelivery(delivery, Buffer.from('1')), n, BULK)
    }
    await settled()
    const before = seen.requests.length
    expect([before > 0, before < 20]).toEqual([true, true])
    revoke.abort()
    loop.revoked([claim])
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(seen.requests).toHaveLength(before)
    expect(seen.done).toHaveLength(before)
  })
})

describe('S4 an offset is done only when its effect is durable', () => {
  it('delivered: the attempt, then the offset', async () => {
    const { seen, deliver } = setUp({ acknowledge: false })
    deliver()
    await settled()
    expect(topicsOf(seen.sent)).toEqual(['attempts.v1/2'])
    expect(seen.done).toEqual([])
    seen.sent[0]!.acknowledge()
    await settled()
    expect(seen.done).toEqual([0])
    expect(attemptIn(seen.sent[0]!)).toMatchObject({
      delivery: 'delivery_1',
      attempt: 1,
      outcome: 'delivered',
      status_code: 200,
      url: 'https://example.com/hook',
      webhook_version: 3,
      event: { id: 'e1', source: '/test', type: 'agent.created', time: '2026-01-01T00:00:00Z' },
    })
  })

  it('before a rebalance it is quiet when what is under way is recorded, and nothing else has begun', async () => {
    const { seen, state, loop, deliver } = setUp({ acknowledge: false })
    deliver()
    await settled()
    state.healthy = false
    deliver({ id: 'delivery_2' }, 1)
    let quiet = false
    void loop.quiet(new AbortController().signal).then(() => (quiet = true))
    await settled()
    expect(quiet).toBe(false)
    seen.sent[0]!.acknowledge()
    await settled()
    expect(quiet).toBe(true)
    expect(seen.done).toEqual([0])
    expect(seen.requests).toHaveLength(1)
  })

  it('failed: the tier, then the attempt, then the offset', async () => {
    const { seen, state, deliver } = setUp({ acknowledge: false })
    state.answer = () => ({ kind: 'response', status: 500, durationMs: 1, responseBody: 'x'.repeat(5_000) })
    deliver()
    await settled()
    expect(topicsOf(seen.sent)).toEqual(['delay.5s.v1/2'])
    seen.sent[0]!.acknowledge()
    await settled()
    expect(topicsOf(seen.sent)).toEqual(['delay.5s.v1/2', 'attempts.v1/2'])
    expect(seen.done).toEqual([])
    seen.sent[1]!.acknowledge()
    await settled()
    expect(seen.done).toEqual([0])
    const retry = decodeDelivery(seen.sent[0]!.record.value)
    const attempt = attemptIn(seen.sent[1]!)
    expect(retry).toMatchObject({ kind: 'delivery', delivery: { attempt: 2, spills: 0 }, data: Buffer.from('{"a":1}') })
    expect(attempt).toMatchObject({ outcome: 'retry', next: 'tier', error_class: 'server.processing' })
    expect(attempt.response_body).toHaveLength(5_000)
    expect(attempt.next_attempt_at).toBe(
      new Date(retry.kind === 'delivery' ? retry.delivery.due : Number.NaN).toISOString(),
    )
  })

  it('S10 delivered: of a long answer its beginning is recorded', async () => {
    const { seen, state, deliver } = setUp()
    state.answer = () => ({ kind: 'response', status: 200, durationMs: 1, responseBody: 'x'.repeat(5_000) })
    deliver()
    await settled()
    expect(attemptIn(seen.sent[0]!).response_body).toHaveLength(1024)
  })

  it.each([
    ['gone', 410, {}, ['webhook-state.v1/-']],
    ['exhausted', 500, { attempt: 5 }, []],
  ] as const)('%s: the dead letter, then the attempt, then the offset', async (outcome, status, more, between) => {
    const { seen, state, deliver } = setUp()
    state.answer = () => ({ kind: 'response', status, durationMs: 1 })
    deliver(more)
    await settled()
    expect(topicsOf(seen.sent)).toEqual(['dead-letters.v1/2', ...between, 'attempts.v1/2'])
    expect(attemptIn(seen.sent.at(-1)!).outcome).toBe(outcome)
    expect(decodeDeadLetter(seen.sent[0]!.record.value)).toMatchObject({
      kind: 'dead-letter',
      lastAttempt: { outcome, status_code: status },
    })
    expect(seen.done).toEqual([0])
  })

  it('a duplicate of an attempt under way is done with it, not before; a later one at once', async () => {
    const { seen, deliver } = setUp({ acknowledge: false })
    deliver({}, 0)
    deliver({}, 1)
    await settled()
    expect([seen.requests.length, seen.done]).toEqual([1, []])
    seen.sent[0]!.acknowledge()
    await settled()
    expect(seen.done).toEqual([0, 1])
    deliver({}, 2)
    expect(seen.done).toEqual([0, 1, 2])
    expect(seen.requests).toHaveLength(1)
  })

  it('a retry that is due before its attempt is recorded: sent when that is over, not taken for a duplicate', async () => {
    const { seen, state, deliver } = setUp({ acknowledge: false })
    state.answer = () => ({ kind: 'response', status: seen.requests.length === 1 ? 500 : 200, durationMs: 1 })
    deliver({}, 0)
    await settled()
    seen.sent[0]!.acknowledge()
    await settled()
    deliver({ attempt: 2, due: NOW }, 1)
    await settled()
    expect([seen.requests.length, seen.done]).toEqual([1, []])
    seen.sent[1]!.acknowledge()
    await settled()
    expect([seen.requests.length, seen.done]).toEqual([2, [0]])
    seen.sent[2]!.acknowledge()
    await settled()
    expect(attemptIn(seen.sent[2]!)).toMatchObject({ attempt: 2, outcome: 'delivered' })
    expect(seen.done).toEqual([0, 1])
  })

  it('moved to a delay topic and back before that is acknowledged: not taken for a repeat of what is moved', async () => {
    const { seen, give, deliver } = setUp({ acknowledge: false })
    deliver({ due: Date.now() + 60_000 }, 0)
    await settled()
    expect(topicsOf(seen.sent)).toEqual(['delay.30s.v1/2'])
    give(encodeDelivery(deliveryOf({ due: NOW, spills: 1 }), Buffer.from('1')), 30, DUE)
    await settled()
    expect([seen.requests.length, seen.done]).toEqual([0, []])
    seen.sent[0]!.acknowledge()
    await settled()
    expect([seen.requests.length, seen.done]).toEqual([1, [0]])
    seen.sent[1]!.acknowledge()
    await settled()
    expect(attemptIn(seen.sent[1]!)).toMatchObject({ attempt: 1, outcome: 'delivered' })
    expect(seen.done).toEqual([0, 30])
  })

  it('a closed producer leaves the offset to the next owner', async () => {
    const { seen, state, deliver } = setUp()
    state.send = () => {
      throw new ProducerClosed()
    }
    deliver()
    await settled()
    expect([seen.done, seen.fatal]).toEqual([[], []])
  })
})

describe('S4 deliveries that are not sent', () => {
  const unsent = async (options: Parameters<typeof setUp>[0], more: Partial<Delivery> = {}) => {
    const parts = setUp(options)
    parts.deliver(more)
    await settled()
    expect(parts.seen.requests).toEqual([])
    return parts
  }

  it.each([
    ['webhook_unknown', undefined],
    ['webhook_deleted', webhookOf({ status: 'deleted', version: 4 })],
    ['webhook_disabled', webhookOf({ status: 'disabled', version: 4 })],
  ] as const)('%s: discarded', async (reason, webhook) => {
    const { seen } = await unsent({ webhook })
    expect(topicsOf(seen.sent)).toEqual(['attempts.v1/2'])
    expect(attemptIn(seen.sent[0]!)).toMatchObject({ outcome: 'discarded', discard_reason: reason })
    expect(attemptIn(seen.sent[0]!)).not.toHaveProperty('url')
    expect(seen.done).toEqual([0])
  })

  it('too old: expired, with a dead letter', async () => {
    const { seen } = await unsent({}, { acceptedAt: NOW - 3600_001 - 60_000 })
    expect(topicsOf(seen.sent)).toEqual(['dead-letters.v1/2', 'attempts.v1/2'])
    expect(attemptIn(seen.sent[1]!).outcome).toBe('expired')
    expect(seen.done).toEqual([0])
  })

  it('paused: fresh work is parked, which is acknowledged first; a retry goes round the tiers, at last the longest', async () => {
    const { seen, give, deliver } = setUp({ webhook: webhookOf({ status: 'paused' }) })
    deliver({ id: 'a' }, 7)
    await settled()
    expect(seen.parked).toMatchObject([{ webhook: 'webhook_1', state: { next: 8, left: [7], tried: [] } }])
    expect(seen.done).toEqual([])
    seen.parked[0]!.acknowledge()
    deliver({ id: 'b' }, 9)
    for (const [at, spills] of [0, 1, 2, 3, 9].entries())
      give(encodeDelivery(deliveryOf({ id: `c${at}`, attempt: 3, spills }), Buffer.from('1')), 30 + at, DUE)
    await settled()
    expect(seen.done.toSorted((a, b) => a - b)).toEqual([7, 9, 30, 31, 32, 33, 34])
    expect(topicsOf(seen.sent)).toEqual(['5s', '30s', '2m', '10m', '10m'].map(tier => `delay.${tier}.v1/2`))
    expect(decodeDelivery(seen.sent[0]!.record.value)).toMatchObject({ delivery: { attempt: 3, spills: 1 } })
    expect(seen.requests).toEqual([])
  })

  it('paused and too old: expired, with a dead letter, wherever it comes from', async () => {
    const old = { webhook: webhookOf({ status: 'paused' }) }
    const { seen } = await unsent(old, { attempt: 2, acceptedAt: NOW - 3600_001 - 60_000 })
    expect(topicsOf(seen.sent)).toEqual(['dead-letters.v1/2', 'attempts.v1/2'])
    expect(attemptIn(seen.sent[1]!).outcome).toBe('expired')
  })

  it('a webhook version that does not come: to a tier', async () => {
    const { seen } = await unsent({}, { webhookVersion: 4 })
    expect(topicsOf(seen.sent)).toEqual(['delay.30s.v1/2'])
    expect(seen.done).toEqual([0])
  })

  it("one webhook's own fault: a secret that does not open: to a tier, with one alert", async () => {
    const { seen, state, deliver } = setUp()
    state.unseal = () => {
      throw new Error('no key')
    }
    deliver({ id: 'a' }, 0)
    deliver({ id: 'b' }, 1)
    await settled()
    expect([seen.requests, topicsOf(seen.sent)]).toEqual([[], ['delay.30s.v1/2', 'delay.30s.v1/2']])
    expect(seen.done).toEqual([0, 1])
    // One alert, however many deliveries meet it.
    expect(seen.alerts).toEqual(['webhook_1'])
  })

  it('S7 a proxy of the deployment that fails: to a tier, with no attempt, and nothing said about the webhook', async () => {
    const { seen, state, deliver } = setUp()
    state.answer = () => Promise.reject(new ProxyFailed('unreachable', 'cannot be reached'))
    for (const [offset, spills] of [0, 1, 2].entries()) deliver({ id: `delivery_${offset}`, spills }, offset)
    await settled()
    expect(topicsOf(seen.sent)).toEqual(['delay.5s.v1/2', 'delay.30s.v1/2', 'delay.30s.v1/2'])
    expect(seen.sent.map(({ record }) => decodeDelivery(record.value))).toMatchObject(
      [1, 2, 3].map(spills => ({ delivery: { attempt: 1, spills } })),
    )
    expect([seen.done, seen.alerts, seen.requests.length]).toEqual([[0, 1, 2], Array(3).fill('unreachable'), 3])
  })

  it('due in a minute: to the tier that fits; due in a moment: then, not before', async () => {
    const { seen, state, deliver } = setUp()
    const at: number[] = []
    state.answer = () => {
      at.push(Date.now())
      return { kind: 'response', status: 200, durationMs: 1 }
    }
    deliver({ attempt: 2, due: Date.now() + 60_000, id: 'later' }, 0)
    const due = Date.now() + 150
    deliver({ attempt: 2, due, id: 'soon' }, 1)
    await settled()
    expect(topicsOf(seen.sent)[0]).toBe('delay.30s.v1/2')
    while (at.length === 0) await settled()
    expect(at[0]).toBeGreaterThanOrEqual(due - 1)
    expect(seen.requests.map(({ headers }) => headers['webhook-id'])).toEqual(['soon'])
  })

  it('infrastructure away, so that the membership is not sure: waiting', async () => {
    const { seen, state, loop } = await unsent({ healthy: false })
    loop.start()
    expect(seen.done).toEqual([])
    state.healthy = true
    while (seen.done.length === 0) await settled()
    expect(seen.requests).toHaveLength(1)
  })
})

describe('S10 records that cannot be handled', () => {
  it('undecodable: poison, and the next record goes on', async () => {
    const { seen, give, deliver } = setUp()
    give({ key: null, value: Buffer.from('\u0001rubbish') }, 0)
    deliver({}, 1)
    await settled()
    expect(decodePoison(seen.sent[0]!.record.value)).toMatchObject({
      head: { topic: 'deliveries.v1', partition: 2, offset: 0, reason: 'undecodable', size: 8 },
      body: Buffer.from('\u0001rubbish'),
    })
    expect(new Set(seen.done)).toEqual(new Set([0, 1]))
  })

  it('three failures: poison', async () => {
    const { seen, state, deliver } = setUp()
    state.answer = () => {
      throw new Error('a mistake of ours')
    }
    deliver()
    await settled()
    expect(seen.requests).toHaveLength(3)
    expect(decodePoison(seen.sent[0]!.record.value)).toMatchObject({
      head: { reason: 'handler_failed', detail: 'a mistake of ours' },
    })
    expect(seen.done).toEqual([0])
  })

  it('what the broker never takes: poison without a second request', async () => {
    const { seen, state, deliver } = setUp()
    state.send = topic => {
      if (topic.name !== 'poison.v1') throw new RecordRefused('too large')
    }
    deliver()
    await settled()
    expect(seen.requests).toHaveLength(1)
    expect(topicsOf(seen.sent)).toEqual(['poison.v1/-'])
    expect(seen.done).toEqual([0])
  })

  it('newer frame: this process ends, and sends nothing more', async () => {
    const { seen, give, deliver } = setUp()
    give({ key: null, value: Buffer.from([9, 0, 0, 0, 2, 0x7b, 0x7d]) }, 0)
    deliver({}, 1)
    await settled()
    expect(seen.fatal[0]?.message).toMatch(/deliveries.v1\/2\/0 has frame version 9/)
    expect([seen.requests, seen.done]).toEqual([[], []])
  })
})

describe('S10 a lost partition', () => {
  it('what waits is not sent any more, and may be read again', async () => {
    const { seen, state, loop, deliver, claim, revoke } = setUp({ healthy: false })
    deliver()
    revoke.abort()
    loop.revoked([claim])
    state.healthy = true
    loop.start()
    await settled()
    expect([seen.requests, seen.sent, seen.done]).toEqual([[], [], []])
  })
})

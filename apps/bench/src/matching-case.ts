import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import {
  compileFilter,
  EventFields,
  SubscriptionIndex,
  type CompiledFilter,
  type FilterPattern,
  type Subscription,
  type WebhookEvent,
} from '@posthorn/webhook'

const TENANT = 'acme'
const TYPE = 'order.paid'
/** Webhooks of one customer of the sample: all of them want the same exact value. */
const SHARED = 100
/** As many as a linear scan may look at in all, so that the largest table takes seconds, not hours. */
const SCANNED = 3_000_000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

export interface Case {
  readonly label: string
  readonly webhooks: number
  filter(i: number): FilterPattern
}

/** Of the webhooks that want the event's customer, only number 0 takes its amount as well. */
const amount = (i: number) => [{ numeric: ['>=', i === 0 ? 100 : 1_000_000 + i] }]

/** What stands beside the exact value: every operator in turn, each of which the event fits. */
const OTHERS: readonly object[] = [
  { currency: [{ prefix: 'E' }] },
  { currency: [{ suffix: 'UR' }] },
  { note: [{ wildcard: '*gift*' }] },
  { status: [{ 'anything-but': ['void', 'refunded'] }] },
  { status: [{ 'equals-ignore-case': 'Paid' }] },
  { client: { ip: [{ cidr: '10.0.0.0/8' }] } },
  { coupon: [{ exists: false }] },
  { $or: [{ channel: ['web', 'app'] }, { channel: [{ prefix: 'pos-' }] }] },
]
const beside = (i: number) => OTHERS[i % OTHERS.length]

export const CASES: readonly Case[] = [
  ...[1, 100, 10_000, 100_000].map(webhooks => ({
    label: `exact value shared by ${SHARED}`,
    webhooks,
    filter: (i: number) => ({
      data: { customer: [`c${Math.floor(i / SHARED)}`], amount: amount(i), ...beside(i) },
    }),
  })),
  ...[2_000, 10_000].map(webhooks => ({
    label: 'exact value of its own',
    webhooks,
    filter: (i: number) => ({ data: { customer: [`c${i}`], amount: amount(i), ...beside(i) } }),
  })),
  {
    label: 'no exact value',
    webhooks: 100,
    filter: (i: number) => ({ data: { amount: amount(i), ...beside(i) } }),
  },
]

const event: WebhookEvent = {
  tenant: TENANT,
  id: '1',
  source: '/shop',
  type: TYPE,
  time: '2026-01-31T12:00:00Z',
  contenttype: 'application/json',
}
export const data = Buffer.from(
  JSON.stringify({
    customer: 'c0',
    amount: 250,
    currency: 'EUR',
    status: 'paid',
    channel: 'web',
    client: { ip: '10.1.2.3', agent: 'bench' },
    lines: Array.from({ length: 6 }, (_, i) => ({ sku: `article-${i}`, price: 10.5 + i, quantity: i })),
    note: `wrap it as a gift, please ${'.'.repeat(500)}`,
  }),
)

export interface Measured {
  readonly readyMs: number
  readonly bytes: number
  readonly indexUs: number
  readonly scanUs: number
}

function measure({ webhooks, filter }: Case, events: number): Measured {
  const subscriptions = Array.from({ length: webhooks }, (_, i) => ({
    webhook: `webhook_${i}`,
    tenant: TENANT,
    events: [TYPE],
    filter: filter(i),
  }))
  const { index, readyMs, bytes } = build(subscriptions)
  const indexUs = timed(events, () => index.match(event, data).length)
  const compiled = subscriptions.map(one => compileFilter(one.filter))
  const scanUs = timed(Math.max(20, Math.min(events, SCANNED / webhooks)), () => scan(compiled))
  return { readyMs, bytes, indexUs, scanUs }
}

function build(subscriptions: readonly Subscription[]) {
  collect()
  const before = process.memoryUsage().heapUsed
  const started = performance.now()
  const index = new SubscriptionIndex<number>()
  for (const [i, subscription] of subscriptions.entries()) index.put(subscription, i)
  const readyMs = performance.now() - started
  collect()
  return { index, readyMs, bytes: process.memoryUsage().heapUsed - before }
}

/** The baseline has the same compiled filters, and parses the data once as well. */
function scan(filters: readonly CompiledFilter[]): number {
  const fields = new EventFields(event, data)
  let found = 0
  for (const filter of filters) if (filter.matches(fields)) found++
  return found
}

/** Median µs a run, of 21 rounds after one to warm up. Throws unless each run finds exactly one webhook. */
function timed(runs: number, find: () => number): number {
  const perRound = Math.max(1, Math.floor(runs / 21))
  const rounds = Array.from({ length: 22 }, () => {
    const started = performance.now()
    for (let i = 0; i < perRound; i++) if (find() !== 1) throw new Error('not exactly one webhook matches')
    return ((performance.now() - started) * 1000) / perRound
  })
  return rounds.slice(1).sort((a, b) => a - b)[10]!
}

export interface Order {
  readonly number: number
  readonly events: number
}

if (parentPort) {
  const { number, events } = workerData as Order
  parentPort.postMessage(measure(CASES[number]!, events))
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { answerOf, createApiClient, type ApiClient } from '@posthorn/api/client'
import {
  createAuthority,
  startMailbox,
  startReceiver,
  startStack,
  until,
  type Mailbox,
  type Receiver,
  type Stack,
} from '@posthorn/testkit'
import { ALERT_METRICS } from '@posthorn/webhook'
import kafkajs, { type Admin, type Kafka } from 'kafkajs'

const WAIT_MS = 90_000
const DAY_MS = 24 * 3600_000
/** Much longer than the test: what is frozen has to find all of it afterwards. */
const SHORT_MS = 600_000
/** It takes more than one broker: apps/monitor/src/under-replicated.kafka.spec.ts. */
const METRICS = ALERT_METRICS.filter(metric => metric !== 'under_replicated').sort()
/** Within a window; the others are as things are. */
const COUNTED = ['dead_letters', 'poison', 'refused_addresses', 'wrong_keys'] as const
/** As built in, but so that seconds do for what takes minutes, hours or days otherwise. */
const RULES = {
  webhook_failing: { threshold: 0.5 },
  dead_letters: { threshold: 0, window_seconds: 10 },
  poison: { threshold: 0, window_seconds: 10 },
  refused_addresses: { window_seconds: 10 },
  wrong_keys: { threshold: 4, window_seconds: 10 },
  parked_half_used: { threshold: 0.01 },
  retention_half_used: { threshold: 0.01 },
  retries_overdue: { threshold: 3 },
  consumer_stuck: { threshold: 4 },
}
const authority = createAuthority('Alerts CA')
const dir = mkdtempSync(join(tmpdir(), 'alerts-'))
let stack: Stack
let api: ApiClient
let ingest: ApiClient
let kafka: Kafka
let admin: Admin
let shop: Receiver
let team: Receiver
let chat: Receiver
let secured: Server
let mailbox: Mailbox
let shopAnswers = 500

beforeAll(async () => {
  shop = await startReceiver(() => ({ status: shopAnswers }))
  team = await startReceiver()
  chat = await startReceiver()
  mailbox = await startMailbox()
  secured = createServer(certificate(3600_000), (request, response) => request.resume().on('end', () => response.end()))
  await new Promise<void>(resolve => secured.listen(0, '127.0.0.1', resolve))
  const ca = join(dir, 'ca.pem')
  writeFileSync(ca, authority.ca)
  stack = await startStack({
    POSTHORN_MONITOR_ALERT_EVERY_SECONDS: '1',
    POSTHORN_MONITOR_ALERT_RULES: JSON.stringify(RULES),
    POSTHORN_MONITOR_SMTP_URL: mailbox.url,
    POSTHORN_EGRESS_CA_FILE: ca,
    POSTHORN_AUTH_WRONG_KEYS_PER_MINUTE: '0',
  })
  api = createApiClient({ url: stack.api, key: stack.key })
  ingest = createApiClient({ url: stack.publish, key: stack.key })
  kafka = new kafkajs.Kafka({ brokers: [stack.kafka], logLevel: kafkajs.logLevel.NOTHING })
  admin = kafka.admin()
  await admin.connect()
}, 120_000)
afterAll(async () => {
  for (const target of ['router', 'retry-scheduler']) thaw(target)
  await admin?.disconnect()
  await stack?.stop()
  secured.closeAllConnections()
  await Promise.all([shop.close(), team.close(), chat.close(), mailbox.close(), new Promise(end => secured.close(end))])
  rmSync(dir, { recursive: true, force: true })
}, 60_000)

function certificate(leftMs: number) {
  return authority.issue('secured', [], ['127.0.0.1'], Date.now() + leftMs)
}
const freeze = (target: string) => process.kill(stack.currentPids()[target]!, 'SIGSTOP')
function thaw(target: string): void {
  const pid = stack?.currentPids()[target]
  if (pid !== undefined) process.kill(pid, 'SIGCONT')
}

async function register(url: string, type: string, more: object = {}): Promise<string> {
  const body = { url, events: [type], retry_policy: { attempts: 1 }, ...more }
  return (await answerOf(api.POST('/v1/webhooks', { body }))).id
}
let published = 0
async function publish(type: string, count = 1): Promise<void> {
  const body = Array.from({ length: count }, () => ({ id: `e${++published}`, type, data: {} }))
  await answerOf(ingest.POST('/v1/publish', { body: body as never }))
}
async function tryWrongKey(base: string, n: number): Promise<void> {
  const path = base === stack.api ? '/v1/webhooks' : '/v1/publish'
  const init = { method: base === stack.api ? 'GET' : 'POST', headers: { authorization: `Bearer no-such-key-${n}` } }
  expect((await fetch(base + path, init)).status).toBe(401)
}

const keep = (topic: string, ms: number) =>
  admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: `posthorn.${topic}`,
        configEntries: [
          { name: 'retention.ms', value: String(ms) },
          { name: 'message.timestamp.type', value: 'LogAppendTime' },
          { name: 'cleanup.policy', value: 'delete' },
          { name: 'max.message.bytes', value: String(2 * 1024 * 1024) },
        ],
      },
    ],
  })

/** The metrics that a channel was told to fire, or to be over. */
const inMail = (what: 'FIRING' | 'RESOLVED') =>
  mentioned(
    mailbox.mails.map(({ text }) => text),
    what,
  )
const inChat = (what: 'FIRING' | 'RESOLVED') =>
  mentioned(
    chat.requests.map(({ body }) => (JSON.parse(body.toString()) as { text: string }).text),
    what,
  )
function mentioned(texts: readonly string[], what: string): string[] {
  const lines = texts.flatMap(text => [...text.matchAll(new RegExp(`^${what} (?:\\w+ )??(\\w+):`, 'gm'))])
  return [...new Set(lines.map(([, rule]) => rule!))].sort()
}
function inEvents(type: string): string[] {
  const told = team.requests.map(
    ({ body }) => JSON.parse(body.toString()) as { type: string; data: { metric: string } },
  )
  return [...new Set(told.filter(event => event.type === type).map(({ data }) => data.metric))].sort()
}
async function all(read: () => string[]): Promise<void> {
  const missing = () => METRICS.filter(metric => !read().includes(metric))
  await until(
    () => missing().length === 0,
    WAIT_MS,
    () => `nothing was told of ${missing().join(', ')}`,
  )
}

/** What counts for seconds alone is caused again until it was told: the machine may stand still for longer. */
async function causeCounted(): Promise<void> {
  const missing = () => COUNTED.filter(metric => !inMail('FIRING').includes(metric))
  const producer = kafka.producer()
  await producer.connect()
  for (let tries = 0; tries < 5 && missing().length > 0; tries++) {
    for (const type of ['agent.created', 'agent.updated']) await publish(type)
    await producer.send({ topic: 'posthorn.events.v1', messages: [{ value: 'no event' }] })
    for (const base of [stack.api, stack.publish]) for (let n = 0; n < 3; n++) await tryWrongKey(base, n)
    await until(() => missing().length === 0, 20_000).catch(() => undefined)
  }
  await producer.disconnect()
}

async function cause(): Promise<{ readonly paused: string }> {
  await register(`${shop.url}/shop`, 'agent.created')
  await register(shop.url, 'agent.updated', { denied_cidrs: ['127.0.0.0/8'] })
  await register(`https://127.0.0.1:${(secured.address() as AddressInfo).port}`, 'agent.deleted')
  await register(`${shop.url}/slow`, 'agent.started', { retry_policy: { attempts: 2, interval_ms: 1000 } })
  const paused = await register(`${shop.url}/paused`, 'agent.stopped')
  await answerOf(api.POST('/v1/webhooks/{id}/pause', { params: { path: { id: paused } } }))
  await publish('agent.created', 30)
  for (const type of ['agent.deleted', 'agent.stopped']) await publish(type)
  await causeCounted()
  await until(() => shop.requests.length >= 30, WAIT_MS)
  // A second failure after some time: from one alone nothing has lasted.
  await until(() => Date.now() - shop.requests[0]!.receivedAt > 1500, WAIT_MS)
  await publish('agent.created')
  await keep('deliveries.v1', SHORT_MS)
  freeze('retry-scheduler')
  await publish('agent.started')
  await until(() => shop.requests.some(({ path }) => path === '/slow'), WAIT_MS)
  freeze('router')
  await keep('events.v1', SHORT_MS)
  await publish('agent.action')
  return { paused }
}

async function cure({ paused }: { readonly paused: string }): Promise<void> {
  shopAnswers = 200
  secured.setSecureContext(certificate(30 * 24 * 3600_000))
  secured.closeAllConnections()
  await keep('events.v1', 7 * DAY_MS)
  await keep('deliveries.v1', 14 * DAY_MS)
  thaw('router')
  thaw('retry-scheduler')
  await answerOf(api.POST('/v1/webhooks/{id}/resume', { params: { path: { id: paused } } }))
  await publish('agent.deleted')
  await publish('agent.created', 900)
}

describe('every built-in rule', () => {
  it('S14 fires and ends with its cause, and says so to an e-mail server, a chat and a webhook', async () => {
    await register(`${team.url}/team`, 'posthorn.alert.*', { retry_policy: { attempts: 5 } })
    const shared = { scope: 'platform' as const, group_seconds: 1 }
    const mail = { type: 'email' as const, name: 'on call', to: ['oncall@example.com'], ...shared }
    const { id } = await answerOf(api.POST('/v1/alert-channels', { body: mail }))
    const url = `${chat.url}/services/T0/B0/xyz`
    const channel = await answerOf(
      api.POST('/v1/alert-channels', { body: { type: 'slack', name: 'team', url, ...shared } }),
    )
    expect(channel).toMatchObject({ host: new URL(url).host })
    expect(JSON.stringify(channel)).not.toContain('xyz')
    const path = { id }
    const params = { path, query: { scope: 'platform' as const } }
    expect(await answerOf(api.POST('/v1/alert-channels/{id}/test', { params }))).toMatchObject({ status: 'sent' })
    // On a machine that stood still an alert may have been told by then.
    const tests = mailbox.mails.filter(({ subject }) => !/firing|resolved/i.test(subject))
    expect(tests.map(({ to, subject }) => [to, subject])).toEqual([[['oncall@example.com'], '[Posthorn] Test']])

    const caused = await cause()
    await all(() => inMail('FIRING'))
    await all(() => inChat('FIRING'))
    await cure(caused)
    await all(() => inEvents('posthorn.alert.firing'))
    await all(() => inMail('RESOLVED'))
    await all(() => inChat('RESOLVED'))
    await all(() => inEvents('posthorn.alert.resolved'))
    expect(String(team.requests[0]!.headers['webhook-signature'])).toMatch(/^v1,/)

    const query = { scope: 'all' as const, status: 'resolved' as const, rule: 'wrong_keys' }
    const { data } = await answerOf(api.GET('/v1/alerts', { params: { query } }))
    expect(data[0]).toMatchObject({ metric: 'wrong_keys', value: expect.any(Number), resolved_by: 'recovered' })
    const of = { path: { id: data[0]!.id }, query: { scope: 'all' as const } }
    const told = async () => (await answerOf(api.GET('/v1/alerts/{id}', { params: of }))).notifications
    // A receiver has it before it is known to have been sent.
    await until(async () => (await told()).every(({ status }) => status === 'sent'), WAIT_MS)
    expect((await told()).map(({ what }) => what).sort()).toEqual(['firing', 'firing', 'resolved', 'resolved'])
  }, 240_000)
})

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { KafkaConnection, kafkaOptionsFrom, TableFollower } from '@posthorn/kafka'
import { Database } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { startReceiver, until, type Receiver, type ReceiverAnswer } from '@posthorn/testkit'
import { decodeWebhook, WEBHOOKS } from '@posthorn/topics'
import type { Webhook } from '@posthorn/webhook'
import { TestRegistry } from './test-registry.js'

const ORIGIN = 'hooks.example.com'
const WAIT_MS = 30_000
const logger = createLogger('silent', 'test')
const HANGS = new Promise<ReceiverAnswer>(() => undefined)
const AGREES: ReceiverAnswer = {
  status: 200,
  headers: { 'WebHook-Allowed-Origin': ORIGIN, 'WebHook-Allowed-Rate': '60' },
}

let registry: TestRegistry
let receiver: Receiver
let database: Database
let webhooks: TableFollower<Webhook>
const answers = new Map<string, () => ReceiverAnswer | Promise<ReceiverAnswer>>()

beforeAll(async () => {
  receiver = await startReceiver(({ path }) => answers.get(path)?.() ?? AGREES)
  registry = await TestRegistry.start({
    POSTHORN_WEBHOOK_OWNERSHIP_ORIGIN: ORIGIN,
    POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
  })
  database = new Database({ url: registry.database.url, poolSize: 1, name: 'test', logger })
  webhooks = new TableFollower(new KafkaConnection(kafkaOptionsFrom(registry.settings, logger, 'ownership-test')), {
    topic: WEBHOOKS,
    decode: decodeWebhook,
    fatal: error => {
      throw error
    },
  })
  await Promise.all([database.connect(), webhooks.start()])
}, 60_000)
afterAll(async () => {
  await Promise.all([webhooks?.stop(), database?.close()])
  await registry?.stop()
  await receiver?.close()
}, 30_000)

interface Shown {
  readonly id: string
  readonly status: string
  readonly ownership: Readonly<Record<string, unknown>> | null
}

const at = (path: string) => receiver.requests.filter(request => request.path === path)
const urlOf = (path: string) => `${receiver.url}${path}`
const shown = (json: unknown) => json as Shown
const create = async (url: string, more: object = {}) =>
  shown((await registry.call('POST', '/v1/webhooks', { url, events: ['agent.*'], ...more })).json)
const read = async (id: string) => shown((await registry.call('GET', `/v1/webhooks/${id}`)).json)
const act = (id: string, action: string) => registry.call('POST', `/v1/webhooks/${id}/${action}`)
const refuse = (path: string) => answers.set(path, () => ({ status: 405, headers: { allow: 'POST' } }))
const forget = (id: string) =>
  database.manager.query('UPDATE webhooks SET verify_claimed_at = NULL WHERE id = $1', [id])
/** As if it was asked just now, and for so long that whoever is slow here finds it so. */
const remember = (id: string) =>
  database.manager.query(
    `UPDATE webhooks SET verify_claimed_at = now() + interval '1 hour', verify_at = now() + interval '1 hour' WHERE id = $1`,
    [id],
  )
/** As if the time until the next handshake were over. */
const hasten = (ids: string[]) =>
  database.manager.query('UPDATE webhooks SET verify_claimed_at = NULL, verify_at = now() WHERE id = ANY($1)', [ids])

async function becomes(id: string, status: string): Promise<Shown> {
  let last: Shown | undefined
  const is = async () => (last = await read(id)).status === status
  await until(is, WAIT_MS, () => `${id} is ${JSON.stringify(last)}`)
  return last!
}

async function asked(id: string, attempts = 1): Promise<Shown> {
  let last: Shown | undefined
  const is = async () => ((last = await read(id)).ownership?.attempts as number) >= attempts
  await until(is, WAIT_MS, () => `${id} is ${JSON.stringify(last)}`)
  return last!
}

describe('S7 a webhook is pending until its receiver agrees to the handshake', () => {
  test('which one that does is asked for at once, without any secret', async () => {
    const made = await create(urlOf('/right?a=1'), {
      headers: { 'X-Own': 'secret' },
      authentication: { type: 'bearer', token: 'secret' },
      rate_limit: { requests: 2, per: 'second' },
    })
    expect(made).toMatchObject({ status: 'pending', ownership: { verified_at: null, attempts: 0 } })
    const active = await becomes(made.id, 'active')
    expect(active).toMatchObject({
      rate_limit: { requests: 2, per: 'second' },
      ownership: { allowed_rate: 60, attempts: 1, status_code: 200, error: null, next_attempt_at: null },
    })
    expect(await webhooks.waitFor(made.id, 2, WAIT_MS)).toBe(true)
    expect(webhooks.get(made.id)).toMatchObject({ status: 'active', rateLimit: { requests: 60, per: 'minute' } })
    const [request, ...others] = at('/right?a=1')
    expect([request!.method, others]).toEqual(['OPTIONS', []])
    expect(request!.headers).toMatchObject({ 'webhook-request-origin': ORIGIN, 'webhook-request-rate': '120' })
    expect(JSON.stringify(request!.headers)).not.toContain('secret')
    const audit = await registry.call('GET', `/v1/audit?subject=${made.id}&action=webhook.verified`)
    expect(audit.json.data).toMatchObject([
      { key: 'posthorn', request_id: 'handshake 1', before: { status: 'pending' }, after: { status: 'active' } },
    ])
  })

  test('which others do not, each by its reason; asked again, they are let in once they agree', async () => {
    const wrong: Readonly<Record<string, ReceiverAnswer | Promise<ReceiverAnswer>>> = {
      '/hangs': HANGS,
      '/redirects': { status: 302, headers: { ...AGREES.headers, location: urlOf('/elsewhere') } },
      '/other': { status: 200, headers: { 'WebHook-Allowed-Origin': 'other.example.com' } },
      '/refuses': { status: 405, headers: { allow: 'POST' } },
      '/answers-all': { status: 200 },
    }
    for (const [path, answer] of Object.entries(wrong)) answers.set(path, () => answer)
    const paths = Object.keys(wrong)
    const private_ = await create('http://10.1.2.3/hook')
    const made = await Promise.all(paths.map(path => create(urlOf(path))))
    const refused = await Promise.all(made.map(({ id }) => asked(id)))
    const told = refused.map(({ status, ownership }) => [status, ownership!.status_code, ownership!.error])
    expect(told).toEqual([
      ['pending', null, expect.stringContaining('10000 ms')],
      ['pending', 302, 'answered OPTIONS with 302'],
      ['pending', 200, `allows the origin "other.example.com", and this one is "${ORIGIN}"`],
      ['pending', 405, 'answered OPTIONS with 405'],
      ['pending', 200, 'answered OPTIONS without WebHook-Allowed-Origin'],
    ])
    for (const { ownership } of refused) {
      expect(ownership!.advice).toMatch(/\.$/)
      const [last, next] = [ownership!.last_attempt_at, ownership!.next_attempt_at].map(at => Date.parse(String(at)))
      expect(next! - last!).toBeGreaterThan(5_000)
    }
    expect(await asked(private_.id)).toMatchObject({
      status: 'pending',
      ownership: { status_code: null, advice: expect.stringContaining('POSTHORN_EGRESS_ALLOW') },
    })
    expect(at('/elsewhere')).toEqual([])
    for (const path of paths) answers.delete(path)
    await hasten(made.map(({ id }) => id))
    for (const { id } of made)
      expect(await becomes(id, 'active')).toMatchObject({ ownership: { status_code: 200, error: null, advice: null } })
    expect(await read(private_.id)).toMatchObject({ status: 'pending' })
  }, 90_000)
})

describe('S7 there is no way around the handshake', () => {
  test('by another URL, with PATCH or PUT', async () => {
    refuse('/moved')
    const { id } = await create(urlOf('/first'), { uid: 'moving' })
    await becomes(id, 'active')
    const patched = await registry.call('PATCH', `/v1/webhooks/${id}`, { url: urlOf('/moved'), status: 'active' })
    expect(patched.json).toMatchObject({ status: 'pending', ownership: { verified_at: null, attempts: 0 } })
    expect(await asked(id)).toMatchObject({ status: 'pending' })
    expect((await registry.call('PATCH', `/v1/webhooks/${id}`, { status: 'active' })).json).toMatchObject({
      status: 'pending',
    })
    await registry.call('PATCH', `/v1/webhooks/${id}`, { url: urlOf('/first') })
    await forget(id)
    await becomes(id, 'active')
    const body = { url: urlOf('/moved'), events: ['*'] }
    expect((await registry.call('PUT', '/v1/webhooks/by-uid/moving', body)).json).toMatchObject({ status: 'pending' })
    const same = await registry.call('PUT', '/v1/webhooks/by-uid/moving', body)
    expect(same.json).toMatchObject({ status: 'pending' })
    // Answered once it can be read; our own reader comes to it in its time.
    expect(await webhooks.waitFor(id, same.json.version as number, WAIT_MS)).toBe(true)
    expect(webhooks.get(id)).toMatchObject({ status: 'pending', url: urlOf('/moved') })
  }, 60_000)

  test('by disabling or pausing it first', async () => {
    refuse('/later')
    const [off, held] = await Promise.all([create(urlOf('/a')), create(urlOf('/b'))])
    await Promise.all([becomes(off.id, 'active'), becomes(held.id, 'active')])
    await Promise.all([act(off.id, 'disable'), act(held.id, 'pause')])
    for (const [{ id }, status, back] of [
      [off, 'disabled', 'enable'],
      [held, 'paused', 'resume'],
    ] as const) {
      const { json } = await registry.call('PATCH', `/v1/webhooks/${id}`, { url: urlOf('/later') })
      expect(json).toMatchObject({ status, ownership: null })
      expect((await act(id, back)).json).toMatchObject({ status: 'pending' })
    }
  }, 60_000)

  test('and a pending webhook is neither paused nor tried', async () => {
    refuse('/closed')
    const { id } = await create(urlOf('/closed'))
    expect([(await act(id, 'pause')).json.code, (await act(id, 'test')).json.code]).toEqual([
      'webhook_pending',
      'webhook_pending',
    ])
    expect((await act(id, 'disable')).json).toMatchObject({ status: 'disabled', ownership: { next_attempt_at: null } })
  })

  test('while one that had agreed is enabled and resumed as before', async () => {
    const { id } = await create(urlOf('/again'))
    await becomes(id, 'active')
    await act(id, 'disable')
    expect((await act(id, 'enable')).json).toMatchObject({ status: 'active' })
    await act(id, 'pause')
    expect((await act(id, 'resume')).json).toMatchObject({ status: 'active' })
    expect(at('/again')).toHaveLength(1)
  })
})

describe('S7 verify', () => {
  test('asks at once, and answers with what the receiver said; once in 10 s', async () => {
    refuse('/asked')
    const { id } = await create(urlOf('/asked'))
    await asked(id)
    await remember(id)
    const [before, known] = [at('/asked').length, (await read(id)).ownership!.attempts as number]
    const soon = await act(id, 'verify')
    expect([soon.status, soon.json.code, soon.headers.get('retry-after')]).toEqual([429, 'handshake_limited', '10'])
    expect(at('/asked')).toHaveLength(before)
    await forget(id)
    const refused = await act(id, 'verify')
    expect([refused.status, refused.json]).toMatchObject([
      200,
      {
        status: 'pending',
        ownership: { attempts: known + 1, status_code: 405, advice: expect.stringContaining(ORIGIN) },
      },
    ])
    answers.delete('/asked')
    await forget(id)
    expect(await registry.rpc('WebhookService/VerifyWebhook', { id })).toMatchObject({
      status: 'active',
      ownership: { attempts: known + 2, allowed_rate: 60 },
    })
    const audit = await registry.call('GET', `/v1/audit?subject=${id}&action=webhook.verified`)
    expect(audit.json.data).toMatchObject([{ key: 'platform', before: { status: 'pending' } }])
    // It has agreed: nobody is asked.
    expect((await act(id, 'verify')).json).toMatchObject({ status: 'active' })
    expect(at('/asked')).toHaveLength(before + 2)
  })

  test('of a webhook that is not there is 404', async () => {
    expect((await act('webhook_00000000000000000000000000', 'verify')).json.code).toBe('webhook_not_found')
  })
})

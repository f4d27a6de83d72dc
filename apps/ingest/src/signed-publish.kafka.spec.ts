import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, SafeProducer } from '@posthorn/kafka'
import { Health, readSettings, type RunningService, type Settings } from '@posthorn/process'
import { Sealer } from '@posthorn/sealing'
import { createLogger } from '@posthorn/telemetry'
import { testBrokers, until } from '@posthorn/testkit'
import { decodeEvent, encodeKey, EVENTS, KEYS, type SigningKey } from '@posthorn/topics'
import {
  privateSecretFrom,
  secretFrom,
  signStandard,
  compileSecret,
  verifierOf,
  type WebhookEvent,
} from '@posthorn/webhook'
import { type Consumer } from 'kafkajs'
import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { ingestService } from './service.js'

const WAIT_MS = 40_000
/** So few that no further one is looked at for 20 s. */
const WRONG = 3
const SEALING = `test:${randomBytes(32).toString('base64')}`
const SECRET = secretFrom(randomBytes(32))
const PAIR = privateSecretFrom(randomBytes(32))
const environment = {
  POSTHORN_KAFKA_BROKERS: testBrokers().join(),
  POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
  POSTHORN_KAFKA_PARTITIONS: '1',
  POSTHORN_LISTEN_HOST: '127.0.0.1',
  POSTHORN_INGEST_PORT: '0',
  POSTHORN_INGEST_GRPC_PORT: '0',
  POSTHORN_TRUSTED_PROXIES: '127.0.0.0/8',
  POSTHORN_AUTH_WRONG_KEYS_PER_MINUTE: String(WRONG),
}
const settings = readSettings({ ...environment, POSTHORN_SEALING_KEYS: SEALING })
const logger = createLogger('silent', 'test')
const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'signed-test'))

const found: { readonly event: WebhookEvent; readonly data: Buffer }[] = []
const running: RunningService[] = []
let reader: Consumer

const signingKey = (id: string, secret: string, change: Partial<SigningKey> = {}): SigningKey => ({
  id,
  kind: 'signing',
  version: 1,
  status: 'active',
  tenant: 'default',
  roles: ['publish'],
  allowedIps: [],
  expiresAt: null,
  sealedSecret: new Sealer([SEALING]).seal(secret, id),
  ...change,
})

function start(its: Settings): Promise<RunningService> {
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const fatal = (error: Error) => {
    throw error
  }
  return ingestService.start({ settings: its, logger, health, fatal })
}

beforeAll(async () => {
  await createTopics(connection, await planTopics(connection))
  const producer = new SafeProducer(connection)
  await producer.connect()
  for (const key of [
    signingKey('key_mine', SECRET),
    signingKey('key_pair', verifierOf(PAIR)),
    signingKey('key_far', SECRET, { allowedIps: ['2001:db8::/32'] }),
    signingKey('key_moved', SECRET, { sealedSecret: new Sealer([SEALING]).seal(SECRET, 'key_mine') }),
    signingKey('key_gone', SECRET, { status: 'deleted' }),
    signingKey('key_over', SECRET, { expiresAt: '2020-01-01T00:00:00.000Z' }),
  ])
    await producer.send(KEYS, encodeKey(key))
  await producer.close()
  reader = connection.kafka.consumer({ groupId: `${connection.prefix}reader`, maxWaitTimeInMs: 100 })
  await reader.connect()
  await reader.subscribe({ topics: [connection.topic(EVENTS)], fromBeginning: true })
  await reader.run({
    eachMessage: async ({ message: { key, value, headers, timestamp } }) => {
      const read = decodeEvent({ key, value, headers: headers ?? {}, timestamp: Number(timestamp) }, undefined)
      if (read.kind === 'bad') throw new Error(JSON.stringify(read.problems))
      found.push(read)
    },
  })
  running.push(await start(settings), await start(settings), await start(readSettings(environment)))
}, 120_000)

afterAll(async () => {
  await Promise.all(running.map(service => service.stop()))
  await reader?.disconnect()
}, 60_000)

type Headers = Readonly<Record<string, string>>
interface Answer {
  readonly status: number
  readonly json: { readonly id?: string; readonly source?: string; readonly code?: string; readonly data?: unknown }
  readonly retryAfter: string | null
}

const BODY = '{"type":"order.paid","timestamp":"2026-11-28T12:00:00Z","data":{"total": 12345678901234567890}}'

/** As the official library signs. */
function signed(id: string, body = BODY, secret = SECRET, at = new Date()): Headers {
  const signature = new Webhook(secret).sign(id, at, body)
  const timestamp = String(Math.floor(at.getTime() / 1000))
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
}

async function post(key: string, headers: Headers, body = BODY, to = 0, from = '192.0.2.1'): Promise<Answer> {
  const response = await fetch(`http://${running[to]!.addresses.http}/v1/publish/${key}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': from, ...headers },
    body,
  })
  const json = (await response.json()) as Answer['json']
  return { status: response.status, json, retryAfter: response.headers.get('retry-after') }
}

async function inTopic(id: string) {
  await until(() => found.some(({ event }) => event.id === id), WAIT_MS)
  return found.find(({ event }) => event.id === id)!
}

describe('S7 a publish that is signed', () => {
  it('by the standardwebhooks package is taken: its id, its time and its exact bytes', async () => {
    const { status, json } = await post('key_mine', signed('msg_1'))
    expect([status, json]).toEqual([202, { id: 'msg_1', source: '/v1/publish/key_mine' }])
    const { event, data } = await inTopic('msg_1')
    expect(event).toMatchObject({ tenant: 'default', type: 'order.paid', time: '2026-11-28T12:00:00Z' })
    expect(data.toString()).toBe('{"total": 12345678901234567890}')
  })

  it('by the svix package, or by a key pair whose public half is the key, is taken, too', async () => {
    const at = new Date()
    const timestamp = String(Math.floor(at.getTime() / 1000))
    const signature = new SvixWebhook(SECRET).sign('msg_svix', at, BODY)
    const svix = { 'svix-id': 'msg_svix', 'svix-timestamp': timestamp, 'svix-signature': signature }
    expect((await post('key_mine', svix)).json.id).toBe('msg_svix')
    const v1a = signStandard([compileSecret(PAIR)], 'msg_v1a', Number(timestamp), Buffer.from(BODY))
    const pair = { 'webhook-id': 'msg_v1a', 'webhook-timestamp': timestamp, 'webhook-signature': v1a }
    expect((await post('key_pair', pair)).json.id).toBe('msg_v1a')
  })

  it('is the same event at any ingest, however often it is sent; so is each event of an array', async () => {
    const headers = signed('msg_again')
    const answers = await Promise.all([0, 1, 0, 1].map(to => post('key_mine', headers, BODY, to)))
    expect(new Set(answers.map(({ json }) => JSON.stringify(json))).size).toBe(1)
    const array = `[${BODY},${BODY}]`
    const many = await Promise.all([0, 1].map(to => post('key_mine', signed('msg_many', array), array, to)))
    expect(many[0]!.json.data).toEqual(many[1]!.json.data)
    const [first, second] = many[0]!.json.data as { readonly id: string }[]
    expect(first!.id).not.toBe(second!.id)
  })

  it('keeps the id of an event that has one, and takes CloudEvents in JSON', async () => {
    const own = '{"id":"own","type":"a","data":1}'
    expect((await post('key_mine', signed('msg_own', own), own)).json).toMatchObject({ id: 'own' })
    const event = '{"specversion":"1.0","id":"ce-1","source":"/s","type":"a","data":1}'
    const type = { 'content-type': 'application/cloudevents+json' }
    expect((await post('key_mine', { ...signed('msg_ce', event), ...type }, event)).json).toEqual({
      id: 'ce-1',
      source: '/s',
    })
  })

  it('is not taken where attributes stand in headers, which nobody signed', async () => {
    const headers = {
      ...signed('msg_ce2'),
      'ce-id': 'forged',
      'ce-source': '/s',
      'ce-type': 'a',
      'ce-specversion': '1.0',
    }
    expect(await post('key_mine', headers)).toMatchObject({ status: 415, json: { code: 'media_type_unsupported' } })
  })

  it('names the member that it does not know', async () => {
    const body = '{"type":"a","data":1,"object":"event"}'
    const answer = await post('key_mine', signed('msg_more', body), body)
    expect(answer).toMatchObject({ status: 400, json: { code: 'event_invalid', errors: [{ pointer: '/object' }] } })
  })

  const now = () => Date.now()
  it.each<[string, string, () => Headers, number, string]>([
    ['without a signature', 'key_mine', () => ({}), 401, 'signature_missing'],
    ['with a signature alone', 'key_mine', () => ({ 'webhook-signature': 'v1,x' }), 401, 'signature_missing'],
    ['six minutes ago', 'key_mine', () => signed('m', BODY, SECRET, new Date(now() - 360_000)), 401, 'signature_stale'],
    ['in six minutes', 'key_mine', () => signed('m', BODY, SECRET, new Date(now() + 360_000)), 401, 'signature_stale'],
    ['in the year 9999', 'key_mine', () => signed('m', BODY, SECRET, new Date('9999-01-01')), 401, 'signature_stale'],
    ['at no time', 'key_mine', () => ({ ...signed('m'), 'webhook-timestamp': 'NaN' }), 401, 'signature_missing'],
    ['by an expired key', 'key_over', () => signed('m'), 401, 'key_expired'],
    ['from an address that is not allowed', 'key_far', () => signed('m'), 403, 'address_not_allowed'],
    ['by a secret sealed for another key', 'key_moved', () => signed('m'), 503, 'signing_unavailable'],
  ])('%s is refused', async (_what, key, headers, status, code) => {
    expect(await post(key, headers())).toMatchObject({ status, json: { code } })
  })

  it.each<[string, string, () => Headers]>([
    ['over another body', 'key_mine', () => signed('m', `${BODY} `)],
    ['with another secret', 'key_mine', () => signed('m', BODY, secretFrom(randomBytes(32)))],
    ['under another id', 'key_mine', () => ({ ...signed('m'), 'webhook-id': 'n' })],
    ['with a shared secret for a key pair', 'key_pair', () => ({ ...signed('m'), 'webhook-signature': 'v1a,AAAA' })],
    ['by a key that was deleted', 'key_gone', () => signed('m')],
    ['by no key', 'key_none', () => signed('m')],
    ['by a path out of the folder', '..%2f..%2fkeys', () => signed('m')],
  ])('%s is refused, and counts as a wrong key', async (what, key, headers) => {
    const from = `198.51.100.${what.length}`
    expect((await post('key_mine', signed('msg_before'), BODY, 0, from)).status).toBe(202)
    for (let n = 0; n < WRONG; n++) expect((await post(key, headers(), BODY, 0, from)).status).toBe(401)
    const limited = await post('key_unseen', headers(), BODY, 0, from)
    expect(limited).toMatchObject({ status: 429, json: { code: 'wrong_keys_limited' } })
    expect(Number(limited.retryAfter)).toBeGreaterThan(1)
    expect((await post('key_mine', signed('msg_after'), BODY, 0, from)).status).toBe(202)
  })

  it('with a megabyte of signatures is refused before it is looked at, with a thousand of them is looked at', async () => {
    const megabyte = { ...signed('m'), 'webhook-signature': 'v1,'.padEnd(1_000_000, 'A') }
    await expect(post('key_mine', megabyte).then(({ status }) => status)).resolves.toBeGreaterThanOrEqual(400)
    const many = { ...signed('m'), 'webhook-signature': Array<string>(1000).fill('v1,AAAA').join(' ') }
    expect(await post('key_mine', many, BODY, 0, '203.0.113.9')).toMatchObject({ json: { code: 'signature_invalid' } })
  })

  it('waits where ingest has no master key, which is said', async () => {
    const answer = await post('key_mine', signed('m'), BODY, 2)
    expect(answer).toMatchObject({ status: 503, json: { code: 'signing_unavailable' }, retryAfter: '30' })
  })

  it('never has its key taken as a key that is sent', async () => {
    for (const key of [SECRET, 'key_mine', SECRET.slice('whsec_'.length)]) {
      const response = await fetch(`http://${running[0]!.addresses.http}/v1/publish`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: BODY,
      })
      expect([key, response.status]).toEqual([key, 401])
    }
  })
})

import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { delivererService } from '@posthorn/deliverer'
import { ingestService } from '@posthorn/ingest'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics } from '@posthorn/kafka'
import { monitorService } from '@posthorn/monitor'
import { Health, readSettings, type RunningService } from '@posthorn/process'
import { registryService } from '@posthorn/registry'
import { replayerService } from '@posthorn/replayer'
import { routerService } from '@posthorn/router'
import { migrate } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import {
  createTestDatabase,
  startReceiver,
  testBrokers,
  until,
  type Receiver,
  type TestDatabase,
} from '@posthorn/testkit'
import { runCommand } from './run-command.js'

type Json = Record<string, unknown> & { readonly id: string; readonly data: readonly Json[] }

const KEY = 'a-platform-key-for-this-test'
const WAIT_MS = 60_000
let database: TestDatabase
let receiver: Receiver
let status = 500
let env: Record<string, string>
/** All that a dead letter and its replay need; nothing is tried twice. */
const SERVICES = [registryService, ingestService, routerService, delivererService, monitorService, replayerService]
const services: RunningService[] = []

beforeAll(async () => {
  const logger = createLogger('silent', 'test')
  receiver = await startReceiver(() => ({ status }))
  database = await createTestDatabase()
  await migrate(database.url, logger)
  const settings = readSettings({
    POSTHORN_KAFKA_BROKERS: testBrokers().join(),
    POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
    POSTHORN_KAFKA_PARTITIONS: '1',
    POSTHORN_DATABASE_URL: database.url,
    POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
    POSTHORN_LISTEN_HOST: '127.0.0.1',
    POSTHORN_REGISTRY_PORT: '0',
    POSTHORN_REGISTRY_GRPC_PORT: '0',
    POSTHORN_INGEST_PORT: '0',
    POSTHORN_INGEST_GRPC_PORT: '0',
    POSTHORN_AUTH_PLATFORM_KEY: KEY,
    POSTHORN_SEALING_KEYS: `test:${randomBytes(32).toString('base64')}`,
  })
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'cli-test'))
  await createTopics(connection, await planTopics(connection))
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const fatal = (error: Error) => {
    throw error
  }
  services.push(...(await Promise.all(SERVICES.map(each => each.start({ settings, logger, health, fatal })))))
  const [registry, ingest] = services
  env = {
    POSTHORN_API_URL: `http://${registry!.addresses.http}`,
    POSTHORN_PUBLISH_URL: `http://${ingest!.addresses.http}`,
    POSTHORN_API_KEY: KEY,
    POSTHORN_EMBEDDED_DIR: join(tmpdir(), 'no-posthorn-here'),
  }
}, 90_000)

afterAll(async () => {
  await Promise.all(services.map(service => service.stop()))
  await receiver?.close()
  await database?.drop()
}, 60_000)

async function posthorn(...args: string[]) {
  const [out, err]: [string[], string[]] = [[], []]
  const stop = new AbortController().signal
  const ended = await runCommand(args, { stop, env, print: text => out.push(text), say: line => err.push(line) })
  return { status: ended, out: out.join('\n'), err: err.join('\n') }
}

async function json(...args: string[]): Promise<Json> {
  const { status: ended, out, err } = await posthorn(...args, '--json')
  if (ended !== 0) throw new Error(`posthorn ${args.join(' ')} ended with ${ended}: ${err}`)
  return JSON.parse(out) as Json
}

async function holds(wanted: (answer: Json) => boolean, ...args: string[]): Promise<Json> {
  let last: Json | undefined
  await until(
    async () => wanted((last = await json(...args))),
    WAIT_MS,
    () => `posthorn ${args.join(' ')}: ${JSON.stringify(last)}`,
  )
  return last!
}

describe('posthorn', () => {
  const done = (replay: Json) => replay.status === 'done'

  test('dead-letters and replays: counted first, then sent again and delivered', async () => {
    const at = ['--url', `${receiver.url}/dead`, '--events', 'cli.dead', '--retry-policy', '{"attempts": 1}']
    const { id: webhook } = await json('webhooks', 'create', ...at)
    for (const id of ['one', 'two']) await json('events', 'publish', '--type', 'cli.dead', '--id', id, '--data', '1')
    const { data: dead } = await holds(({ data }) => data.length === 2, 'dead-letters', 'list', '--webhook', webhook)
    expect(dead.map(each => each.status)).toEqual(['exhausted', 'exhausted'])
    const why = await posthorn('explain', dead[0]!.id)
    expect(why).toMatchObject({ status: 0, out: expect.stringMatching(/reason +exhausted\n/), err: '' })
    expect(why.out).toMatch(/because +.* by status 500\.\nadvice +.* posthorn dead-letters redrive\./)
    status = 200
    const dry = await json('dead-letters', 'redrive', '--webhook', webhook, '--dry-run')
    expect(dry).toMatchObject({ dry_run: true, webhook })
    expect(await holds(done, 'replays', 'get', dry.id)).toMatchObject({ matched: 2, sent: 0 })
    const [first] = dead
    const one = await json('replays', 'create', '--deliveries', first!.id, '--rate', '10')
    expect(await holds(done, 'replays', 'get', one.id)).toMatchObject({ sent: 1, rate: 10 })
    await holds(({ data }) => data.length === 1, 'dead-letters', 'list', '--webhook', webhook)
    const rest = await json('dead-letters', 'redrive', '--webhook', webhook)
    expect(await holds(done, 'replays', 'get', rest.id)).toMatchObject({ sent: 1 })
    await holds(({ data }) => data.length === 0, 'dead-letters', 'list', '--webhook', webhook)
    expect(await json('explain', first!.id)).toMatchObject({ reason: 'delivered', advice: null })
    expect(await json('deliveries', 'get', first!.id)).toMatchObject({ status: 'delivered', run: one.id })
    const listed = await posthorn('replays', 'list', '--status', 'done')
    for (const { id } of [dry, one, rest]) expect(listed.out).toContain(id)
  }, 120_000)

  test('explain: waits for its retry, or for its webhook; the same as deliveries explain; nothing of another id', async () => {
    status = 503
    const at = ['--url', `${receiver.url}/later`, '--events', 'cli.slow', '--retry-policy', '{"interval_ms": 3600000}']
    const { id: webhook } = await json('webhooks', 'create', ...at)
    await json('events', 'publish', '--type', 'cli.slow', '--id', 'slow', '--data', '1')
    const of = ['deliveries', 'list', '--webhook', webhook, '--status', 'retry']
    const { data: waiting } = await holds(({ data }) => data.length === 1, ...of)
    const { id } = waiting[0]!
    const waits = await json('explain', id)
    expect(waits).toMatchObject({
      ...{ delivery: id, webhook, status: 'retry', reason: 'waits_for_retry', attempts_made: 1, behind: null },
      because: expect.stringContaining('status 503'),
      last_attempt: { attempt: 1, outcome: 'retry', status_code: 503 },
    })
    expect(Date.parse(String(waits.next_attempt_at))).toBeGreaterThan(Date.now() + 60_000)
    expect(await json('deliveries', 'explain', id)).toEqual(waits)
    await json('webhooks', 'pause', webhook)
    expect(await json('explain', id)).toMatchObject({ reason: 'webhook_paused', advice: 'posthorn webhooks resume' })
    await json('webhooks', 'delete', webhook)
    expect(await json('explain', id)).toMatchObject({ reason: 'webhook_deleted', advice: null })
    expect(await posthorn('explain', 'delivery_none')).toMatchObject({
      ...{ status: 1, out: '', err: expect.stringContaining('delivery_not_found') },
    })
    expect(await posthorn('explain')).toMatchObject({ status: 2, out: '' })
  }, 60_000)

  test('dead-letters discard: counted first, then neither open nor redriven; a run lists what it sent', async () => {
    status = 500
    const at = ['--url', `${receiver.url}/gone`, '--events', 'cli.given', '--retry-policy', '{"attempts": 1}']
    const { id: webhook } = await json('webhooks', 'create', ...at)
    for (const id of ['one', 'two', 'three'])
      await json('events', 'publish', '--type', 'cli.given', '--id', id, '--data', '1')
    const of = ['--webhook', webhook]
    const { data: dead } = await holds(({ data }) => data.length === 3, 'dead-letters', 'list', ...of)
    expect(await json('dead-letters', 'discard', ...of, '--dry-run')).toEqual({ discarded: 3, dry_run: true })
    expect(await json('dead-letters', 'discard', '--deliveries', dead[0]!.id)).toMatchObject({ discarded: 1 })
    expect((await json('dead-letters', 'list', ...of, '--state', 'discarded')).data).toMatchObject([
      { id: dead[0]!.id },
    ])
    status = 200
    const { id: run } = await json('dead-letters', 'redrive', ...of)
    expect(await holds(done, 'replays', 'get', run)).toMatchObject({ sent: 2 })
    await holds(({ data }) => data.length === 2, 'deliveries', 'list', '--run', run, '--status', 'delivered')
    expect((await json('deliveries', 'attempts', '--run', run)).data).toHaveLength(2)
    expect(await posthorn('dead-letters', 'discard', ...of)).toMatchObject({ status: 0, out: 'Discarded 0.' })
    expect(await posthorn('dead-letters', 'discard')).toMatchObject({ status: 1, out: '' })
  }, 120_000)

  test('replays: pause, change, resume, cancel; what is over is refused', async () => {
    // So many that it is not over before it is held.
    const later = Array.from({ length: 100 }, (_, n) => ({ type: 'cli.later', id: `later-${n}`, data: n }))
    await json('events', 'publish', '--body', JSON.stringify(later))
    const log = ['--source', 'log', '--from', new Date(Date.now() - 60_000).toISOString(), '--rate', '1']
    const { id: webhook } = await json('webhooks', 'create', '--url', receiver.url, '--events', 'cli.later')
    const { id } = await json('replays', 'create', ...log, '--webhook', webhook)
    expect(await json('replays', 'pause', id)).toMatchObject({ status: 'paused' })
    expect(await json('replays', 'update', id, '--rate', '7')).toMatchObject({ rate: 7 })
    expect(await json('replays', 'resume', id)).toMatchObject({ status: expect.stringMatching(/queued|running/) })
    expect(await json('replays', 'cancel', id)).toMatchObject({ status: 'cancelled' })
    const again = await posthorn('replays', 'resume', id)
    expect(again).toMatchObject({ status: 1, err: expect.stringContaining('replay_ended') })
    expect(await posthorn('dead-letters', 'redrive')).toMatchObject({ status: 1, out: '' })
    expect(await posthorn('replays', 'create', '--rate', 'fast')).toMatchObject({ status: 2, out: '' })
  })

  test('stats get: what was attempted, in a table or as the API says it', async () => {
    const stats = await holds(
      ({ data }) => data.reduce((sum, { attempts }) => sum + Number(attempts), 0) >= 4,
      ...['stats', 'get', '--step', 'minute'],
    )
    expect(stats).toMatchObject({ step: 'minute', webhook: null })
    const { out, err } = await posthorn('stats', 'get', '--step', 'minute')
    expect({ head: out.split('\n')[0], err }).toEqual({ head: expect.stringMatching(/^START +ATTEMPTS/), err: '' })
    expect(await posthorn('stats', 'get', '--step', 'year')).toMatchObject({ status: 1, out: '' })
  })

  test('audit list: by what was changed, by action and by key', async () => {
    const { id } = await json('webhooks', 'create', '--url', receiver.url, '--events', 'cli.audited')
    await json('webhooks', 'update', id, '--description', 'second')
    const all = await json('audit', 'list', '--subject', id)
    expect(all.data.map(({ action }) => action)).toEqual(['webhook.updated', 'webhook.created'])
    const one = await json('audit', 'list', '--subject', id, '--action', 'webhook.updated', '--by-key', 'platform')
    expect(one.data).toMatchObject([{ before: { description: null }, after: { description: 'second' } }])
    expect(await json('audit', 'list', '--by-key', 'key_nobody')).toEqual({ data: [], next_cursor: null })
  })

  test('filters test: yes, no and why, and a pattern that is none', async () => {
    const pattern = '{"data": {"total": [{"numeric": [">", 100]}]}}'
    const test = (total: number) =>
      json('filters', 'test', '--pattern', pattern, '--event', `{"data":{"total":${total}}}`)
    expect(await test(120)).toEqual({ matches: true, why: [] })
    expect(await test(7)).toMatchObject({ matches: false, why: [{ pointer: '/data/total' }] })
    const wrong = await posthorn('filters', 'test', '--pattern', '{"a": [{"numerc": []}]}', '--event', '{}', '--json')
    expect(wrong.status).toBe(1)
    expect(JSON.parse(wrong.out)).toMatchObject({ error: { code: 'request_invalid', status: 400 } })
  })
})

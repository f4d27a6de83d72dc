// Longer than files are here: all of it needs one running platform, whose start takes seconds.
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { NO_PLATFORM_KEY } from '@posthorn/api'
import { ingestService } from '@posthorn/ingest'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics } from '@posthorn/kafka'
import { Health, readSettings, type RunningService, type Service } from '@posthorn/process'
import { registryService } from '@posthorn/registry'
import { migrate } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, queryDatabase, testBrokers, until, type TestDatabase } from '@posthorn/testkit'
import type { Finding } from './doctor/check.js'
import { runCommand } from './run-command.js'

type Json = Record<string, unknown> & { readonly id: string; readonly data: readonly Json[] }

const logger = createLogger('silent', 'test')
const warn = jest.spyOn(logger, 'warn')
let database: TestDatabase
let services: RunningService[]
/** As a shell has it; the key is made by the first test. */
let env: Record<string, string>

beforeAll(async () => {
  database = await createTestDatabase()
  const platform = {
    POSTHORN_KAFKA_BROKERS: testBrokers().join(),
    POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
    POSTHORN_KAFKA_PARTITIONS: '1',
    POSTHORN_DATABASE_URL: database.url,
    POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
  }
  const settings = readSettings({
    ...platform,
    POSTHORN_LISTEN_HOST: '127.0.0.1',
    POSTHORN_REGISTRY_PORT: '0',
    POSTHORN_REGISTRY_GRPC_PORT: '0',
    POSTHORN_INGEST_PORT: '0',
    POSTHORN_INGEST_GRPC_PORT: '0',
    POSTHORN_SEALING_KEYS: `test:${randomBytes(32).toString('base64')}`,
  })
  env = { ...platform, POSTHORN_EMBEDDED_DIR: join(tmpdir(), 'no-posthorn-here') }
  await migrate(database.url, logger)
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'cli-test'))
  await createTopics(connection, await planTopics(connection))
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const fatal = (error: Error) => {
    throw error
  }
  const start = (service: Service) => service.start({ settings, logger, health, fatal })
  services = await Promise.all([start(registryService), start(ingestService)])
  env.POSTHORN_API_URL = `http://${services[0]!.addresses.http}`
  env.POSTHORN_PUBLISH_URL = `http://${services[1]!.addresses.http}`
}, 90_000)

afterAll(async () => {
  await Promise.all((services ?? []).map(service => service.stop()))
  await database?.drop()
})

async function posthorn(args: readonly string[], more: Record<string, string> = {}) {
  const out: string[] = []
  const err: string[] = []
  const status = await runCommand(args, {
    stop: new AbortController().signal,
    env: { ...env, ...more },
    print: text => out.push(text),
    say: line => err.push(line),
  })
  return { status, out: out.join('\n'), err: err.join('\n') }
}

/** Its answer; fails unless it is one line of JSON and the status 0. */
async function json(...args: string[]): Promise<Json> {
  const { status, out, err } = await posthorn([...args, '--json'])
  if (status !== 0) throw new Error(`posthorn ${args.join(' ')} ended with ${status}: ${err}`)
  expect(out.split('\n')).toHaveLength(1)
  return JSON.parse(out) as Json
}

const idsOf = (list: Json) => list.data.map(({ id }) => id)

describe('posthorn', () => {
  test('without a key of the environment the services say how to make one, and let nobody in', async () => {
    expect(warn.mock.calls.filter(([said]) => (said as unknown) === NO_PLATFORM_KEY)).toHaveLength(2)
    for (const [method, url] of [
      ['GET', `${env.POSTHORN_API_URL}/v1/webhooks`],
      ['POST', `${env.POSTHORN_PUBLISH_URL}/v1/publish`],
    ] as const)
      for (const headers of [{}, { authorization: `Bearer ${'undefined'.repeat(3)}` }] as Record<string, string>[])
        expect(await fetch(url, { method, headers }).then(answer => answer.status)).toBe(401)
  })

  test('keys create --database makes the first key, and the audit knows of it', async () => {
    const { status, out, err } = await posthorn(['keys', 'create', '--database', '--name', 'first', '--json'])
    expect({ status, err }).toEqual({ status: 0, err: expect.stringContaining('shown this once') })
    const first = JSON.parse(out) as Json
    expect(first).toMatchObject({ scope: 'platform', roles: ['admin'], key: expect.stringMatching(/^phk_/) })
    env.POSTHORN_API_KEY = first.key as string
    const shown = await json('keys', 'get', first.id, '--scope', 'platform')
    expect({ ...shown, key: first.key }).toEqual({ ...first, last_used_at: shown.last_used_at })
    const audit = await fetch(`${env.POSTHORN_API_URL}/v1/audit?scope=platform`, {
      headers: { authorization: `Bearer ${String(first.key)}` },
    })
    const [entry] = ((await audit.json()) as Json).data
    expect(entry).toMatchObject({ key: 'cli', action: 'key.created', subject: first.id, after: { name: 'first' } })
    expect(JSON.stringify(entry)).not.toContain(first.key)
  })

  test('keys: create, list, get, rotate, revoke; a key is printed once', async () => {
    const made = await json(
      'keys',
      'create',
      '--name',
      'shop',
      '--roles',
      'publish,read',
      '--allowed-ips',
      '10.0.0.0/8',
    )
    expect(made).toMatchObject({ roles: ['publish', 'read'], allowed_ips: ['10.0.0.0/8'] })
    const list = await posthorn(['keys', 'list'])
    expect(list.out).toMatch(new RegExp(`${made.id} +bearer +shop`))
    expect(list.out + (await posthorn(['keys', 'get', made.id])).out).not.toContain(made.key)
    const rotated = await json('keys', 'rotate', made.id)
    expect(rotated.key).not.toBe(made.key)
    expect(await posthorn(['keys', 'revoke', made.id])).toEqual({ status: 0, out: `Revoked ${made.id}.`, err: '' })
    expect(await posthorn(['keys', 'get', made.id])).toMatchObject({
      status: 1,
      out: '',
      err: expect.stringMatching(/\(key_not_found, 404, request \S+\)/),
    })
  })

  test('keys: the last use of one that only publishes, also with the database away', async () => {
    const made = await json('keys', 'create', '--name', 'publisher', '--roles', 'publish')
    expect(made.last_used_at).toBeNull()
    await queryDatabase(database.url, 'ALTER TABLE keys RENAME TO keys_away')
    const publish = ['events', 'publish', '--type', 'agent.used', '--data', '{}']
    expect((await posthorn(publish, { POSTHORN_API_KEY: String(made.key) })).status).toBe(0)
    await queryDatabase(database.url, 'ALTER TABLE keys_away RENAME TO keys')
    await until(async () => (await json('keys', 'get', made.id)).last_used_at !== null, 30_000)
    expect((await posthorn(['keys', 'list'])).out).toMatch(new RegExp(`${made.id} .*\\d{4}-\\d\\d-\\d\\dT`))
    await json('keys', 'revoke', made.id)
  }, 40_000)

  test('webhooks: from create to delete, with their secrets', async () => {
    const made = await json(
      ...['webhooks', 'create', '--url', 'https://example.com/hook', '--events', 'agent.*,invoice.paid'],
      ...[
        '--headers',
        'X-Team: a',
        '--metadata',
        'plan=pro',
        '--filter',
        '{"data": {"plan": ["pro"]}}',
        '--uid',
        'one',
      ],
    )
    const { id } = made
    expect(made).toMatchObject({ events: ['agent.*', 'invoice.paid'], metadata: { plan: 'pro' }, uid: 'one' })
    expect(idsOf(await json('webhooks', 'list', '--event-type', 'agent.error'))).toEqual([id])
    const changed = await json('webhooks', 'update', id, '--description', 'b', '--unset', 'filter', '--if-version', '1')
    expect(changed).toMatchObject({ description: 'b', filter: null, version: 2 })
    expect((await posthorn(['webhooks', 'update', id, '--description', 'c', '--if-version', '1'])).err).toContain(
      '(version_conflict, 412,',
    )
    expect(await json('webhooks', 'put', 'one', '--url', 'https://example.com/2', '--events', '*')).toMatchObject({
      id,
    })
    expect(await json('webhooks', 'disable', id)).toMatchObject({ status: 'disabled' })
    expect(idsOf(await json('webhooks', 'list', '--status', 'disabled'))).toEqual([id])
    expect(await json('webhooks', 'enable', id)).toMatchObject({ status: 'active' })
    expect(await json('webhooks', 'pause', id)).toMatchObject({ status: 'paused' })
    expect(await json('webhooks', 'resume', id)).toMatchObject({ status: 'active' })
    expect(await json('webhooks', 'test', id, '--type', 'agent.error')).toMatchObject({
      event: { type: 'agent.error' },
    })

    const [secret] = (await json('webhooks', 'secrets', 'list', id)).data
    expect(await json('webhooks', 'secrets', 'reveal', id, secret!.id)).toMatchObject({ secret: made.secret })
    const rotated = await json('webhooks', 'secrets', 'rotate', id, '--overlap-seconds', '60')
    expect(rotated.secret).not.toBe(made.secret)
    expect((await posthorn(['webhooks', 'get', id])).out).not.toContain(rotated.secret)

    expect(await json('webhooks', 'delete', id)).toEqual({ id, deleted: true })
    expect(await posthorn(['webhooks', 'list'])).toEqual({ status: 0, out: 'None.', err: '' })
  })

  test('a list goes over as many pages as its limit takes, and on from its cursor', async () => {
    const create = ['webhooks', 'create', '--url', 'https://example.com/hook', '--events', 'a.b']
    const made: string[] = []
    for (let i = 0; i < 5; i++) made.unshift((await json(...create)).id)
    const first = await json('webhooks', 'list', '--limit', '3')
    expect(idsOf(first)).toEqual(made.slice(0, 3))
    const rest = await json('webhooks', 'list', '--limit', '1000', '--cursor', first.next_cursor as string)
    expect({ ids: idsOf(rest), next: rest.next_cursor }).toEqual({ ids: made.slice(3), next: null })
    expect((await posthorn(['webhooks', 'list', '--limit', '4'])).err).toMatch(/There are more: .*--cursor \S+/)
    for (const id of made) await json('webhooks', 'delete', id)
  })

  test('the same Idempotency-Key twice makes one webhook', async () => {
    const create = ['webhooks', 'create', '--url', 'https://example.com/i', '--events', 'a', '--idempotency-key', 'k1']
    const [one, two] = [await json(...create), await json(...create)]
    expect(two).toEqual(one)
    await json('webhooks', 'delete', one.id)
  })

  test('types: create, check, versions, deprecate', async () => {
    const schema = '{"type": "object", "required": ["sum"], "properties": {"sum": {"type": "number"}}}'
    const made = await json('types', 'create', 'invoice.paid', '--schema', schema, '--mode', 'enforce')
    expect(made).toMatchObject({ type: 'invoice.paid', mode: 'enforce', schema_version: 1 })
    const checked = await json('types', 'check', 'invoice.paid', '--data', '{}')
    expect(checked.faults).toHaveLength(1)
    const stricter = schema.replace('["sum"]', '["sum", "vat"]')
    const refused = await posthorn(['types', 'versions', 'add', 'invoice.paid', '--schema', stricter])
    expect(refused).toMatchObject({ status: 1, out: '' })
    const added = await json('types', 'versions', 'add', 'invoice.paid', '--schema', stricter, '--allow-breaking')
    expect(added).toMatchObject({ number: 2 })
    expect((await json('types', 'versions', 'list', 'invoice.paid')).data).toHaveLength(2)
    expect(await json('types', 'versions', 'get', 'invoice.paid', '1')).toMatchObject({ number: 1 })
    expect(await json('types', 'update', 'invoice.paid', '--mode', 'warn')).toMatchObject({ mode: 'warn' })
    expect(await json('types', 'deprecate', 'invoice.paid')).toMatchObject({ status: 'deprecated' })
    expect(await json('types', 'archive', 'invoice.paid')).toMatchObject({ status: 'archived' })
    expect(await json('types', 'restore', 'invoice.paid')).toMatchObject({ status: 'active' })
    expect((await posthorn(['types', 'list', '--scope', 'built_in'])).out).toContain('agent.created')
    expect(await json('types', 'get', 'agent.created')).toMatchObject({ scope: 'built_in' })
  })

  test('tenants: create, list, get, update, delete; a webhook of one is not of the other', async () => {
    expect(await json('tenants', 'create', 'acme', '--quotas', '{"webhooks": 1}')).toMatchObject({ id: 'acme' })
    expect(idsOf(await json('tenants', 'list'))).toContain('acme')
    const create = ['webhooks', 'create', '--url', 'https://example.com/', '--events', '*', '--tenant', 'acme']
    const { id } = await json(...create)
    expect(await posthorn(create)).toMatchObject({ status: 1, err: expect.stringContaining('quota_reached') })
    expect(await posthorn(['webhooks', 'get', id])).toMatchObject({ status: 1 })
    expect(await posthorn(['webhooks', 'get', id], { POSTHORN_TENANT: 'acme' })).toMatchObject({ status: 0 })
    expect(await json('tenants', 'update', 'acme', '--description', 'x')).toMatchObject({ description: 'x' })
    expect(await json('tenants', 'delete', 'acme')).toMatchObject({ status: expect.stringMatching(/^delet/) })
    expect(await json('tenants', 'get', 'acme')).toMatchObject({ deletion: expect.anything() })
  })

  test('sources: create, list, get, update, delete', async () => {
    const event = '{"tenant": "default", "type": {"pointer": "/type"}}'
    const { id } = await json(
      'sources',
      'create',
      '--topic',
      `orders-${randomBytes(4).toString('hex')}`,
      '--event',
      event,
    )
    expect(idsOf(await json('sources', 'list'))).toEqual([id])
    expect(await json('sources', 'update', id, '--status', 'paused')).toMatchObject({ status: 'paused' })
    expect(await json('sources', 'get', id)).toMatchObject({ id, status: 'paused' })
    expect(await json('sources', 'delete', id)).toEqual({ id, deleted: true })
  })

  test('alerts: rules, channels and silences', async () => {
    const rule = ['alerts', 'rules', 'create', '--metric', 'webhook_success_rate', '--threshold', '0.5']
    const { id } = await json(...rule)
    expect(idsOf(await json('alerts', 'rules', 'list'))).toEqual([id])
    expect(await json('alerts', 'rules', 'update', id, '--threshold', '0.6')).toMatchObject({
      threshold: 0.6,
      clear: 0.8,
    })
    const builtIn = ['alerts', 'rules', 'update', 'poison', '--scope', 'platform', '--threshold', '3']
    expect(await json(...builtIn)).toMatchObject({ id: 'poison', built_in: true, threshold: 3, version: 1 })
    expect(idsOf(await json('alerts', 'rules', 'list', '--scope', 'platform'))).toContain('consumer_stuck')
    expect(await json('alerts', 'rules', 'delete', 'poison', '--scope', 'platform')).toMatchObject({ deleted: true })
    expect(await json('alerts', 'rules', 'get', 'poison', '--scope', 'platform')).toMatchObject({ threshold: 10 })
    expect(await json('alerts', 'rules', 'delete', id)).toEqual({ id, deleted: true })
    const mail = ['channels', 'create', '--type', 'email', '--name', 'team', '--to', 'a@example.com,b@example.com']
    const channel = await json('alerts', ...mail)
    expect(channel).toMatchObject({ to: ['a@example.com', 'b@example.com'], group_seconds: 10 })
    expect(idsOf(await json('alerts', 'channels', 'list'))).toEqual([channel.id])
    expect(await json('alerts', 'channels', 'delete', channel.id)).toMatchObject({ deleted: true })
    const silence = await json('alerts', 'silences', 'create', '--rules', 'poison', '--ends-at', '2099-01-01T00:00:00Z')
    expect(await json('alerts', 'silences', 'get', silence.id)).toMatchObject({ rules: ['poison'] })
    expect(await json('alerts', 'silences', 'delete', silence.id)).toMatchObject({ deleted: true })
    expect((await json('alerts', 'list')).data).toEqual([])
  })

  test('events publish: one, many, CloudEvents; deliveries, events and poison are read', async () => {
    // Ingest learns of the key from its topic.
    const publish = ['events', 'publish', '--type', 'agent.created', '--id', 'one', '--data', '{"agent": "a1"}']
    await until(async () => (await posthorn(publish)).status === 0, 30_000)
    expect(await json(...publish)).toMatchObject({ id: 'one' })
    const two = '[{"type": "a.b", "id": "x", "data": 1}, {"type": "a.b", "id": "y", "data": 2}]'
    expect(idsOf(await json('events', 'publish', '--body', two))).toEqual(['x', 'y'])
    const cloud = '{"specversion": "1.0", "id": "c", "source": "/s", "type": "a.b", "data": {}}'
    expect(await json('events', 'publish', '--cloudevents', '--body', cloud)).toEqual({ id: 'c', source: '/s' })
    expect(await posthorn(['events', 'publish', '--type', 'no type', '--data', '{}'])).toMatchObject({
      status: 1,
      err: expect.stringMatching(/\/type .*\(event_invalid, 400, request \S+\)/),
    })
    expect(await posthorn(['events', 'get', '../keys'])).toMatchObject({
      status: 1,
      err: expect.stringContaining('event_not_found'),
    })
    expect(await posthorn(['deliveries', 'get', 'no'])).toMatchObject({ status: 1 })
    const time = ['--from', '2026-01-01T00:00:00Z', '--to', '2027-01-01T00:00:00Z']
    for (const list of [
      ['events', 'list', '--type', 'a.b', '--source', '/s'],
      ['deliveries', 'list', '--status', 'delivered', '--event', 'one', '--event-type', 'agent.created'],
      ['dead-letters', 'list', '--status', 'gone', '--webhook', 'webhook_01jz8m0'],
      ['deliveries', 'attempts', '--outcome', 'retry', '--delivery', 'delivery_01jz8m0'],
      ['poison', 'list', '--topic', 'events.v1'],
    ])
      expect(await json(...list, ...time)).toEqual({ data: [], next_cursor: null })
    expect(await posthorn(['events', 'list', '--from', 'now'])).toMatchObject({
      status: 1,
      err: expect.stringContaining('request_invalid'),
    })
  })

  test('a fault of a field is told with its pointer, and as JSON', async () => {
    const args = ['webhooks', 'create', '--url', 'nowhere', '--events', 'not a type']
    const { status, out, err } = await posthorn([...args, '--json'])
    expect(status).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      error: { code: 'request_invalid', status: 400, errors: [{ pointer: '/url' }, { pointer: '/events/0' }] },
    })
    expect(err).toContain('  /events/0: must be an event type')
  })

  test('trigger: the example of the catalogue, changed by --set; nothing but that of a type without one', async () => {
    const { agent_id, ...example } = (await json('types', 'get', 'agent.created')).example as Json
    expect(agent_id).toBeDefined()
    const args = ['trigger', 'agent.created', '--id', 'tried', '--set', 'agent_id=a7', '--set', 'made.by.n=7']
    let said = await posthorn(args)
    await until(async () => (said = await posthorn(args)).status === 0, 30_000)
    const [, id, data] = /^Published agent\.created, (\S+): (.*)$/.exec(said.out)!
    expect([id, JSON.parse(data!)]).toEqual(['tried', { ...example, agent_id: 'a7', made: { by: { n: 7 } } }])
    expect(await json('trigger', 'of.my.own', '--id', 'own')).toMatchObject({ id: 'own' })
    expect(await posthorn(['trigger', 'no type'])).toMatchObject({ status: 1, out: '' })
  })

  test('a wrong key ends with 1, and says what is wrong with it', async () => {
    const wrong = { POSTHORN_API_KEY: 'phk_wrong' }
    for (const args of [
      ['webhooks', 'list'],
      ['events', 'publish', '--type', 'a.b'],
    ])
      expect(await posthorn(args, wrong)).toEqual({
        status: 1,
        out: '',
        err: expect.stringMatching(/\(key_invalid, 401, request \S+\)\nCheck the key/),
      })
  })
})

describe('posthorn doctor', () => {
  async function doctor(more: Record<string, string> = {}) {
    const args = ['doctor', '--json', '--egress', env.POSTHORN_API_URL!]
    const { status, out } = await posthorn(args, more)
    const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: readonly Finding[] }
    return { status, ok, checks, of: (name: string) => checks.find(check => check.name === name) }
  }

  test('finds nothing wrong with a platform that is well', async () => {
    const { status, ok, checks } = await doctor()
    expect(checks.filter(check => check.status !== 'ok')).toEqual([])
    expect({ status, ok }).toEqual({ status: 0, ok: true })
    expect(checks.map(({ name }) => name)).toEqual([
      'settings',
      'kafka.brokers',
      'kafka.topics',
      'clock.kafka',
      'database.reachable',
      'database.migrations',
      'clock.database',
      'egress',
      'api.registry',
      'clock.registry',
      'api.ingest',
      'clock.ingest',
    ])
  })

  test('names what is missing, and what to do', async () => {
    const empty = await createTestDatabase()
    const { status, ok, of } = await doctor({
      POSTHORN_KAFKA_PREFIX: 'nothing-here.',
      POSTHORN_DATABASE_URL: empty.url,
      POSTHORN_API_KEY: 'phk_wrong',
      POSTHORN_PUBLISH_URL: 'http://127.0.0.1:9',
      POSTHORN_EGRESS_ALLOW: '',
    })
    await empty.drop()
    expect({ status, ok }).toEqual({ status: 1, ok: false })
    expect(of('kafka.topics')).toMatchObject({ status: 'fail', advice: expect.stringContaining('topics --apply') })
    expect(of('database.migrations')).toMatchObject({ status: 'fail', advice: 'Run posthorn migrate.' })
    expect(of('api.registry')).toMatchObject({ status: 'fail', says: expect.stringContaining('key_invalid') })
    expect(of('api.ingest')).toMatchObject({ status: 'fail', advice: expect.stringContaining('POSTHORN_PUBLISH_URL') })
    expect(of('egress')).toMatchObject({ status: 'fail', advice: expect.stringContaining('POSTHORN_EGRESS_ALLOW') })
  })

  test('warns of a broker address that is wrong beside one that is right', async () => {
    const { status, of } = await doctor({ POSTHORN_KAFKA_BROKERS: `${env.POSTHORN_KAFKA_BROKERS},127.0.0.1:1` })
    expect(of('kafka.addresses')).toMatchObject({ status: 'warn', says: expect.stringContaining(' 127.0.0.1:1 ') })
    expect(status).toBe(0)
  })

  test('says of each topic how it differs', async () => {
    const { of } = await doctor({ POSTHORN_KAFKA_PARTITIONS: '2' })
    expect(of('kafka.topics')).toMatchObject({
      status: 'fail',
      says: expect.stringContaining('has 1 partitions, 2 are wanted'),
      advice: expect.stringContaining('--add-partitions'),
    })
  })

  test('goes on when settings cannot be read', async () => {
    const { status, of } = await doctor({ POSTHORN_NONSENSE: '1' })
    expect(status).toBe(1)
    expect(of('settings')).toMatchObject({ status: 'fail', says: expect.stringContaining('POSTHORN_NONSENSE') })
    expect(of('api.registry')).toMatchObject({ status: 'ok' })
  })
})

// Longer than files are here: one table of all routes, each tried by strangers on one running registry.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { messageOf } from '@posthorn/api'
import { HistoryPartitions, HistoryWriter, openHistoryPool, type HistoryEntry, type PoisonPlace } from '@posthorn/store'
import { poisonId, poisonPlace } from './poison-id.js'
import { TestRegistry, type Answer, type CallOptions, type RpcFailure } from './test-registry.js'

/*
 * S7: what a tenant has is unknown to every other. The routes and the rpcs come from the registry itself,
 * so that a new one fails here until it is said what another tenant gets from it.
 */

type Expectation =
  /** 404: the path names something of the other tenant. */
  | 'unknown'
  /** 2xx with nothing of the other tenant in it. */
  | 'own'
  /** 403: for keys of the platform. */
  | 'platform'

interface Route {
  readonly answers: Expectation
  readonly body?: object
  /** The same over gRPC; null: by REST alone. */
  readonly rpc: string | null
  /** Its message, beside the parameters of the path; the body unless given. */
  readonly message?: object
}

const HOOK = { url: 'https://example.com/b', events: ['*'] }
const REPLAY = { event_type: 'agent.created', dry_run: true }
const MAIL = { type: 'email', name: 'b', to: ['b@example.com'] }
const SILENCE = { ends_at: '2099-01-01T00:00:00Z' }
const structs = (json: object) => messageOf(json, Object.keys(json)) as object
const ROUTES: Readonly<Record<string, Route>> = {
  'POST /v1/webhooks': { answers: 'own', body: HOOK, rpc: 'WebhookService/CreateWebhook', message: { webhook: HOOK } },
  'GET /v1/webhooks': { answers: 'own', rpc: 'WebhookService/ListWebhooks' },
  'GET /v1/webhooks/by-uid/{uid}': { answers: 'unknown', rpc: 'WebhookService/GetWebhookByUid' },
  'PUT /v1/webhooks/by-uid/{uid}': {
    answers: 'own',
    body: HOOK,
    rpc: 'WebhookService/UpsertWebhook',
    message: { webhook: HOOK },
  },
  'GET /v1/webhooks/{id}': { answers: 'unknown', rpc: 'WebhookService/GetWebhook' },
  'PATCH /v1/webhooks/{id}': {
    answers: 'unknown',
    body: { description: 'x' },
    rpc: 'WebhookService/UpdateWebhook',
    message: { webhook: { description: 'x' } },
  },
  'DELETE /v1/webhooks/{id}': { answers: 'unknown', rpc: 'WebhookService/DeleteWebhook' },
  'POST /v1/webhooks/{id}/disable': { answers: 'unknown', rpc: 'WebhookService/DisableWebhook' },
  'POST /v1/webhooks/{id}/enable': { answers: 'unknown', rpc: 'WebhookService/EnableWebhook' },
  'POST /v1/webhooks/{id}/pause': { answers: 'unknown', rpc: 'WebhookService/PauseWebhook' },
  'POST /v1/webhooks/{id}/verify': { answers: 'unknown', rpc: 'WebhookService/VerifyWebhook' },
  'POST /v1/webhooks/{id}/resume': { answers: 'unknown', rpc: 'WebhookService/ResumeWebhook' },
  'POST /v1/webhooks/{id}/test': { answers: 'unknown', rpc: 'WebhookService/TestWebhook' },
  'GET /v1/webhooks/{id}/secrets': { answers: 'unknown', rpc: 'WebhookService/ListSecrets' },
  'POST /v1/webhooks/{id}/secrets/rotate': { answers: 'unknown', rpc: 'WebhookService/RotateSecret' },
  'POST /v1/webhooks/{id}/secrets/{secret}/reveal': { answers: 'unknown', rpc: 'WebhookService/RevealSecret' },
  'POST /v1/keys': { answers: 'own', body: { name: 'b', roles: ['read'] }, rpc: 'KeyService/CreateKey' },
  'GET /v1/keys': { answers: 'own', rpc: 'KeyService/ListKeys' },
  'GET /v1/keys/{id}': { answers: 'unknown', rpc: 'KeyService/GetKey' },
  'PATCH /v1/keys/{id}': {
    answers: 'unknown',
    body: { name: 'x' },
    rpc: 'KeyService/UpdateKey',
    message: { key: { name: 'x' }, update_mask: { paths: ['name'] } },
  },
  'POST /v1/keys/{id}/rotate': { answers: 'unknown', rpc: 'KeyService/RotateKey' },
  'DELETE /v1/keys/{id}': { answers: 'unknown', rpc: 'KeyService/DeleteKey' },
  'GET /v1/alerts': { answers: 'own', rpc: 'AlertService/ListAlerts' },
  'GET /v1/alerts/{id}': { answers: 'unknown', rpc: 'AlertService/GetAlert' },
  'POST /v1/alert-rules': { answers: 'own', body: { metric: 'poison' }, rpc: 'AlertService/CreateAlertRule' },
  'GET /v1/alert-rules': { answers: 'own', rpc: 'AlertService/ListAlertRules' },
  'GET /v1/alert-rules/{id}': { answers: 'unknown', rpc: 'AlertService/GetAlertRule' },
  'PATCH /v1/alert-rules/{id}': { answers: 'unknown', body: {}, rpc: 'AlertService/UpdateAlertRule' },
  'DELETE /v1/alert-rules/{id}': { answers: 'unknown', rpc: 'AlertService/DeleteAlertRule' },
  'POST /v1/alert-channels': { answers: 'own', body: MAIL, rpc: 'AlertService/CreateAlertChannel' },
  'GET /v1/alert-channels': { answers: 'own', rpc: 'AlertService/ListAlertChannels' },
  'GET /v1/alert-channels/{id}': { answers: 'unknown', rpc: 'AlertService/GetAlertChannel' },
  'PATCH /v1/alert-channels/{id}': { answers: 'unknown', body: {}, rpc: 'AlertService/UpdateAlertChannel' },
  'POST /v1/alert-channels/{id}/test': { answers: 'unknown', rpc: 'AlertService/TestAlertChannel' },
  'DELETE /v1/alert-channels/{id}': { answers: 'unknown', rpc: 'AlertService/DeleteAlertChannel' },
  'POST /v1/alert-silences': { answers: 'own', body: SILENCE, rpc: 'AlertService/CreateAlertSilence' },
  'GET /v1/alert-silences': { answers: 'own', rpc: 'AlertService/ListAlertSilences' },
  'GET /v1/alert-silences/{id}': { answers: 'unknown', rpc: 'AlertService/GetAlertSilence' },
  'DELETE /v1/alert-silences/{id}': { answers: 'unknown', rpc: 'AlertService/DeleteAlertSilence' },
  'GET /v1/audit': { answers: 'own', rpc: 'AuditService/ListAudit' },
  'GET /v1/events': { answers: 'own', rpc: 'HistoryService/ListEvents' },
  'GET /v1/events/{id}': { answers: 'unknown', rpc: 'HistoryService/GetEvent' },
  'GET /v1/deliveries': { answers: 'own', rpc: 'HistoryService/ListDeliveries' },
  'GET /v1/deliveries/{id}': { answers: 'unknown', rpc: 'HistoryService/GetDelivery' },
  'GET /v1/deliveries/{id}/explanation': { answers: 'unknown', rpc: 'HistoryService/ExplainDelivery' },
  'GET /v1/dead-letters': { answers: 'own', rpc: 'HistoryService/ListDeadLetters' },
  'POST /v1/dead-letters/discard': {
    answers: 'own',
    body: { event_type: 'agent.created', dry_run: true },
    rpc: 'HistoryService/DiscardDeadLetters',
    message: { event_type: 'agent.created', dry_run: true },
  },
  'GET /v1/attempts': { answers: 'own', rpc: 'HistoryService/ListAttempts' },
  'GET /v1/stats': { answers: 'own', rpc: 'HistoryService/GetStats' },
  'POST /v1/replays': {
    answers: 'own',
    body: REPLAY,
    rpc: 'ReplayService/CreateReplay',
    message: { replay: REPLAY },
  },
  'GET /v1/replays': { answers: 'own', rpc: 'ReplayService/ListReplays' },
  'GET /v1/replays/{id}': { answers: 'unknown', rpc: 'ReplayService/GetReplay' },
  'PATCH /v1/replays/{id}': { answers: 'unknown', body: { rate: 5 }, rpc: 'ReplayService/UpdateReplay' },
  'POST /v1/replays/{id}/pause': { answers: 'unknown', rpc: 'ReplayService/PauseReplay' },
  'POST /v1/replays/{id}/resume': { answers: 'unknown', rpc: 'ReplayService/ResumeReplay' },
  'POST /v1/replays/{id}/cancel': { answers: 'unknown', rpc: 'ReplayService/CancelReplay' },
  'GET /v1/poison': { answers: 'own', rpc: 'HistoryService/ListPoison' },
  'GET /v1/poison/{id}': { answers: 'unknown', rpc: 'HistoryService/GetPoison' },
  'POST /v1/poison/{id}/redrive': { answers: 'unknown', rpc: 'HistoryService/RedrivePoison' },
  'POST /v1/tenants': {
    answers: 'platform',
    body: { id: 'c' },
    rpc: 'TenantService/CreateTenant',
    message: { tenant: { id: 'c' } },
  },
  'GET /v1/tenants': { answers: 'platform', rpc: 'TenantService/ListTenants' },
  'GET /v1/tenants/{id}': { answers: 'platform', rpc: 'TenantService/GetTenant' },
  'PATCH /v1/tenants/{id}': { answers: 'platform', body: {}, rpc: 'TenantService/UpdateTenant' },
  'DELETE /v1/tenants/{id}': { answers: 'platform', rpc: 'TenantService/DeleteTenant' },
  'POST /v1/sources': { answers: 'platform', body: {}, rpc: 'SourceService/CreateSource' },
  'GET /v1/sources': { answers: 'platform', rpc: 'SourceService/ListSources' },
  'GET /v1/sources/{id}': { answers: 'platform', rpc: 'SourceService/GetSource' },
  'PATCH /v1/sources/{id}': { answers: 'platform', body: {}, rpc: 'SourceService/UpdateSource' },
  'DELETE /v1/sources/{id}': { answers: 'platform', rpc: 'SourceService/DeleteSource' },
  'POST /v1/filters/test': {
    answers: 'own',
    body: { pattern: { a: ['x'] }, event: { a: 'x' } },
    rpc: 'FilterService/TestFilter',
    message: structs({ pattern: { a: ['x'] }, event: { a: 'x' } }),
  },
  'POST /v1/event-types': {
    answers: 'own',
    body: { type: 'of.b' },
    rpc: 'EventTypeService/CreateEventType',
    message: { event_type: { type: 'of.b.too' } },
  },
  'GET /v1/event-types': { answers: 'own', rpc: 'EventTypeService/ListEventTypes' },
  'GET /v1/event-types/{type}': { answers: 'unknown', rpc: 'EventTypeService/GetEventType' },
  'PATCH /v1/event-types/{type}': { answers: 'unknown', body: {}, rpc: 'EventTypeService/UpdateEventType' },
  'POST /v1/event-types/{type}/deprecate': { answers: 'unknown', rpc: 'EventTypeService/DeprecateEventType' },
  'POST /v1/event-types/{type}/archive': { answers: 'unknown', rpc: 'EventTypeService/ArchiveEventType' },
  'POST /v1/event-types/{type}/restore': { answers: 'unknown', rpc: 'EventTypeService/RestoreEventType' },
  'GET /v1/event-types/{type}/versions': { answers: 'unknown', rpc: 'EventTypeService/ListEventTypeVersions' },
  'POST /v1/event-types/{type}/versions': {
    answers: 'unknown',
    body: { schema: {} },
    rpc: 'EventTypeService/AddEventTypeVersion',
    message: structs({ schema: {} }),
  },
  'GET /v1/event-types/{type}/versions/{number}': { answers: 'unknown', rpc: 'EventTypeService/GetEventTypeVersion' },
  'POST /v1/event-types/{type}/check': {
    answers: 'unknown',
    body: { data: {} },
    rpc: 'EventTypeService/CheckEventType',
    message: { data: { nullValue: 0 } },
  },
}

const BY_RPC = Object.entries(ROUTES).filter(([, { rpc }]) => rpc !== null)

/** Stands in everything that the first tenant has. */
const MARK = 'belongs-to-a'
const WEBHOOK_OF_HISTORY = 'webhook_0123456789abcdefghjkmnpqrs'

let registry: TestRegistry
let routes: string[]
let rpcs: string[]
const keys: Record<'a' | 'b', string> = { a: '', b: '' }
/** Ids of the first tenant by the resource that stands first in a path. */
let ids: Record<string, Record<string, string>>

beforeAll(async () => {
  registry = await TestRegistry.start()
  for (const tenant of ['a', 'b'] as const) {
    await registry.call('POST', '/v1/tenants', { id: tenant })
    const { json } = await registry.call(
      'POST',
      '/v1/keys',
      { name: `${tenant}: admin`, roles: ['admin'] },
      {
        headers: { 'posthorn-tenant': tenant },
      },
    )
    keys[tenant] = json.key as string
  }
  const a = { key: keys.a }
  const hook = await registry.call('POST', '/v1/webhooks', { ...HOOK, uid: 'uid-of-a', description: MARK }, a)
  const key = await registry.call('POST', '/v1/keys', { name: MARK, roles: ['read'] }, a)
  const secrets = await registry.call('GET', `/v1/webhooks/${hook.json.id}/secrets`, undefined, a)
  const replay = await registry.call('POST', '/v1/replays', { webhook: hook.json.id, event_type: MARK }, a)
  await registry.call('POST', '/v1/event-types', { type: MARK, schema: { type: 'object' } }, a)
  const rule = await registry.call('POST', '/v1/alert-rules', { metric: 'poison', description: MARK }, a)
  const channel = await registry.call('POST', '/v1/alert-channels', { ...MAIL, name: MARK }, a)
  const silence = await registry.call('POST', '/v1/alert-silences', { ...SILENCE, comment: MARK }, a)
  const now = Date.now()
  await writeHistory(now)
  ids = {
    webhooks: { id: hook.json.id, uid: 'uid-of-a', secret: secrets.json.data[0]!.id as string },
    keys: { id: key.json.id },
    events: { id: MARK },
    deliveries: { id: MARK },
    replays: { id: replay.json.id },
    alerts: { id: await anAlert() },
    'alert-rules': { id: rule.json.id },
    'alert-channels': { id: channel.json.id },
    'alert-silences': { id: silence.json.id },
    poison: { id: poisonId({ topic: MARK, partition: 0, offset: 0, at: now }) },
    tenants: { id: 'a' },
    sources: { id: 'x' },
    'event-types': { type: MARK, number: '1' },
  }
  rpcs = await registry.methods()
  const { json } = await registry.call('GET', '/openapi.json')
  const paths = json.paths as unknown as Record<string, Record<string, unknown>>
  // A path with servers of its own is ingest's.
  routes = Object.entries(paths)
    .filter(([, item]) => !('servers' in item))
    .flatMap(([path, item]) => Object.keys(item).map(verb => `${verb.toUpperCase()} ${path}`))
}, 60_000)
afterAll(() => registry.stop(), 30_000)

function poisonOf(tenant: string | undefined, at: Omit<PoisonPlace, 'at'>, timestamp: number): HistoryEntry {
  const head = { ...at, timestamp, reason: 'undecodable', detail: MARK, size: 0 } as const
  return { kind: 'poison', head, value: Buffer.alloc(0), ...(tenant === undefined ? {} : { tenant }) }
}

/** One that fires, about the first tenant. */
async function anAlert(): Promise<string> {
  const pool = openHistoryPool(registry.database.url, { max: 1, name: 'test', onError: () => undefined })
  const { rows } = await pool.query(
    `insert into alerts (rule, metric, severity, tenant, subject, value, threshold, window_seconds, fired_at)
     values ('poison', 'poison', 'warning', 'a', $1, 20, 10, 3600, now()) returning seq`,
    [MARK],
  )
  await pool.end()
  return `alert_${String(rows[0]!.seq)}`
}

async function writeHistory(now: number): Promise<void> {
  const pool = openHistoryPool(registry.database.url, { max: 1, name: 'test', onError: () => undefined })
  const at = new Date(now).toISOString()
  const event = {
    tenant: 'a',
    id: MARK,
    source: '/s',
    type: 'agent.created',
    time: at,
    contenttype: 'application/json',
  }
  const attempt = {
    delivery: MARK,
    run: '0',
    attempt: 1,
    webhook: WEBHOOK_OF_HISTORY,
    webhook_version: 1,
    tenant: 'a',
    event,
    outcome: 'delivered' as const,
    accepted_at: at,
    due_at: at,
    started_at: at,
    finished_at: at,
    duration_ms: 1,
  }
  const place = (offset: number) => ({ topic: 't', partition: 0, offset, timestamp: now })
  await new HistoryWriter(pool, new HistoryPartitions(pool, 14), 'test').write(
    [
      { ...place(0), entry: { kind: 'event', event, data: Buffer.from('{}'), acceptedAt: now } },
      { ...place(1), entry: { kind: 'attempt', attempt } },
      { ...place(2), entry: poisonOf('a', { topic: MARK, partition: 0, offset: 0 }, now) },
      { ...place(3), entry: poisonOf(undefined, { topic: MARK, partition: 0, offset: 1 }, now) },
    ],
    now,
  )
  await pool.end()
}

/** Fields of messages that are named otherwise than in the path. */
const FIELDS: Readonly<Record<string, string>> = { secret: 'secret_id' }

function callAs(route: string, options: { key?: string; headers?: Record<string, string> }): Promise<Answer> {
  const [verb, path] = route.split(' ') as [string, string]
  const known = ids[path.split('/')[2]!] ?? {}
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => known[name]!)
  return registry.call(verb, filled, ROUTES[route]!.body, options)
}

type Rpc = { readonly grpc: number; readonly code: string } | { readonly grpc: 0; readonly text: string }

async function rpcAs(route: string, options: CallOptions): Promise<Rpc> {
  const { rpc, message, body } = ROUTES[route]!
  if (rpc === null) throw new Error(`${route} is by REST alone`)
  const known = ids[route.split('/')[2]!] ?? {}
  const named = [...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => [FIELDS[name!] ?? name!, known[name!]])
  try {
    const answer = await registry.rpc(rpc, { ...Object.fromEntries(named), ...(message ?? body) }, options)
    return { grpc: 0, text: JSON.stringify(answer) }
  } catch (error) {
    const { grpc, code } = error as RpcFailure
    return { grpc, code }
  }
}

test('every route of the registry is in the table', () => {
  expect(Object.keys(ROUTES).sort()).toEqual(routes.sort())
})

test('every rpc of the registry is in the table, once', () => {
  expect(BY_RPC.map(([, { rpc }]) => rpc).sort()).toEqual(rpcs.sort())
})

describe('S7 another tenant', () => {
  // Both in one test: a later route may make what an earlier one must not find.
  test.each(Object.entries(ROUTES))('%s', async (route, { answers, rpc }) => {
    const rest = await callAs(route, { key: keys.b })
    const grpc = rpc === null ? [] : [await rpcAs(route, { key: keys.b })]
    switch (answers) {
      case 'platform':
        expect(rest).toMatchObject({ status: 403, json: { code: 'role_missing' } })
        return expect(grpc).toEqual(grpc.map(() => ({ grpc: 7, code: 'role_missing' })))
      case 'unknown':
        expect(rest).toMatchObject({ status: 404, json: { code: expect.stringMatching(/_not_found$/) } })
        return expect(grpc).toEqual(grpc.map(() => ({ grpc: 5, code: rest.json.code })))
      case 'own':
        expect(rest.status).toBeLessThan(300)
        expect(grpc).toEqual(grpc.map(() => ({ grpc: 0, text: expect.anything() })))
        for (const text of [rest.text, JSON.stringify(grpc)]) {
          expect(text).not.toContain(MARK)
          expect(text).not.toContain(ids.webhooks!.id)
        }
    }
  })

  test.each(Object.entries(ROUTES))('naming the first one: %s', async (route, { answers }) => {
    const named = await callAs(route, { key: keys.b, headers: { 'posthorn-tenant': 'a' } })
    const code = answers === 'platform' ? 'role_missing' : 'tenant_not_found'
    expect(named.json).toMatchObject({ code })
  })

  test.each(Object.entries(ROUTES))('without a key: %s', async route => {
    expect(await callAs(route, { headers: { authorization: '' } })).toMatchObject({ status: 401 })
  })

  test.each(BY_RPC)('naming the first one over gRPC: %s', async (route, { answers }) => {
    const named = await rpcAs(route, { key: keys.b, headers: { 'posthorn-tenant': 'a' } })
    expect(named).toMatchObject({ code: answers === 'platform' ? 'role_missing' : 'tenant_not_found' })
  })

  test.each(BY_RPC)('without a key over gRPC: %s', async route => {
    expect(await rpcAs(route, { key: '' })).toMatchObject({ grpc: 16 })
  })

  test('the first one still has all of it, and can read it', async () => {
    for (const [route, { answers }] of Object.entries(ROUTES))
      if (answers === 'unknown' && route.startsWith('GET'))
        expect([route, (await callAs(route, { key: keys.a })).status]).toEqual([route, 200])
    for (const [route, { answers, rpc }] of BY_RPC)
      if (answers === 'unknown' && /\/(Get|List)/.test(rpc!))
        expect([route, (await rpcAs(route, { key: keys.a })).grpc]).toEqual([route, 0])
    const { json } = await callAs('GET /v1/webhooks/{id}', { key: keys.a })
    expect(json).toMatchObject({ version: 1, status: 'active', description: MARK })
  })

  test('what nobody can read is poison of the platform alone', async () => {
    const id = poisonId({ ...poisonPlace(ids.poison!.id!)!, offset: 1 })
    expect(await registry.call('GET', `/v1/poison/${id}`)).toMatchObject({ status: 200, json: { tenant: null } })
    for (const key of [keys.a, keys.b]) {
      expect(await registry.call('GET', `/v1/poison/${id}`, undefined, { key })).toMatchObject({ status: 404 })
      for (const scope of ['platform', 'all'])
        expect(await registry.call('GET', `/v1/poison?scope=${scope}`, undefined, { key })).toMatchObject({
          status: 403,
          json: { code: 'role_missing' },
        })
    }
    const listed = async (query: string, options: CallOptions = {}) =>
      (await registry.call('GET', `/v1/poison${query}`, undefined, options)).json.data.map(({ offset }) => offset)
    expect(await listed('', { key: keys.a })).toEqual([0])
    expect(await listed('', { key: keys.b })).toEqual([])
    expect(await listed('')).toEqual([1, 0])
    expect(await listed('?scope=platform')).toEqual([1])
    expect(await listed('?scope=tenant', { headers: { 'posthorn-tenant': 'a' } })).toEqual([0])
  })

  test('a key with the role read changes nothing and sees no secret, one to publish sees nothing', async () => {
    for (const role of ['read', 'publish']) {
      const made = await registry.call('POST', '/v1/keys', { name: role, roles: [role] }, { key: keys.a })
      const key = made.json.key as string
      for (const [route, { answers, rpc }] of Object.entries(ROUTES)) {
        const { status } = await callAs(route, { key })
        const reads =
          role === 'read' &&
          answers !== 'platform' &&
          /^GET|filters\/test|\/check/.test(route) &&
          !/keys|audit/.test(route)
        expect([role, route, status]).toEqual([role, route, reads ? 200 : 403])
        if (rpc !== null) expect([role, rpc, (await rpcAs(route, { key })).grpc]).toEqual([role, rpc, reads ? 0 : 7])
      }
    }
  }, 60_000)
})

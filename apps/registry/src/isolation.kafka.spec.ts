import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { HistoryPartitions, HistoryWriter, openHistoryPool } from '@posthorn/store'
import { TestRegistry, type Answer } from './test-registry.js'

/*
 * S7: what a tenant has is unknown to every other. The routes come from the registry itself, so that a
 * new one fails here until it is said what another tenant gets from it.
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
}

const HOOK = { url: 'https://example.com/b', events: ['*'] }
const ROUTES: Readonly<Record<string, Route>> = {
  'POST /v1/webhooks': { answers: 'own', body: HOOK },
  'GET /v1/webhooks': { answers: 'own' },
  'GET /v1/webhooks/by-uid/{uid}': { answers: 'unknown' },
  'PUT /v1/webhooks/by-uid/{uid}': { answers: 'own', body: HOOK },
  'GET /v1/webhooks/{id}': { answers: 'unknown' },
  'PATCH /v1/webhooks/{id}': { answers: 'unknown', body: { description: 'x' } },
  'DELETE /v1/webhooks/{id}': { answers: 'unknown' },
  'POST /v1/webhooks/{id}/disable': { answers: 'unknown' },
  'POST /v1/webhooks/{id}/enable': { answers: 'unknown' },
  'POST /v1/webhooks/{id}/test': { answers: 'unknown' },
  'GET /v1/webhooks/{id}/secrets': { answers: 'unknown' },
  'POST /v1/webhooks/{id}/secrets/rotate': { answers: 'unknown' },
  'POST /v1/webhooks/{id}/secrets/{secret}/reveal': { answers: 'unknown' },
  'POST /v1/keys': { answers: 'own', body: { name: 'b', roles: ['read'] } },
  'GET /v1/keys': { answers: 'own' },
  'GET /v1/keys/{id}': { answers: 'unknown' },
  'POST /v1/keys/{id}/rotate': { answers: 'unknown' },
  'DELETE /v1/keys/{id}': { answers: 'unknown' },
  'GET /v1/audit': { answers: 'own' },
  'GET /v1/events/{id}': { answers: 'unknown' },
  'GET /v1/deliveries': { answers: 'own' },
  'GET /v1/deliveries/{id}': { answers: 'unknown' },
  'GET /v1/poison': { answers: 'platform' },
  'POST /v1/tenants': { answers: 'platform', body: { id: 'c' } },
  'GET /v1/tenants': { answers: 'platform' },
  'GET /v1/tenants/{id}': { answers: 'platform' },
  'PATCH /v1/tenants/{id}': { answers: 'platform', body: {} },
  'DELETE /v1/tenants/{id}': { answers: 'platform' },
  'POST /v1/sources': { answers: 'platform', body: {} },
  'GET /v1/sources': { answers: 'platform' },
  'GET /v1/sources/{id}': { answers: 'platform' },
  'PATCH /v1/sources/{id}': { answers: 'platform', body: {} },
  'DELETE /v1/sources/{id}': { answers: 'platform' },
  'POST /v1/filters/test': { answers: 'own', body: { pattern: { a: ['x'] }, event: { a: 'x' } } },
  'POST /v1/event-types': { answers: 'own', body: { type: 'of.b' } },
  'GET /v1/event-types': { answers: 'own' },
  'GET /v1/event-types/{type}': { answers: 'unknown' },
  'PATCH /v1/event-types/{type}': { answers: 'unknown', body: {} },
  'POST /v1/event-types/{type}/deprecate': { answers: 'unknown' },
  'POST /v1/event-types/{type}/archive': { answers: 'unknown' },
  'POST /v1/event-types/{type}/restore': { answers: 'unknown' },
  'GET /v1/event-types/{type}/versions': { answers: 'unknown' },
  'POST /v1/event-types/{type}/versions': { answers: 'unknown', body: { schema: {} } },
  'GET /v1/event-types/{type}/versions/{number}': { answers: 'unknown' },
  'POST /v1/event-types/{type}/check': { answers: 'unknown', body: { data: {} } },
}

/** Stands in everything that the first tenant has. */
const MARK = 'belongs-to-a'
const WEBHOOK_OF_HISTORY = 'webhook_0123456789abcdefghjkmnpqrs'

let registry: TestRegistry
let routes: string[]
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
  await registry.call('POST', '/v1/event-types', { type: MARK, schema: { type: 'object' } }, a)
  await writeHistory()
  ids = {
    webhooks: { id: hook.json.id, uid: 'uid-of-a', secret: secrets.json.data[0]!.id as string },
    keys: { id: key.json.id },
    events: { id: MARK },
    deliveries: { id: MARK },
    tenants: { id: 'a' },
    sources: { id: 'x' },
    'event-types': { type: MARK, number: '1' },
  }
  const { json } = await registry.call('GET', '/openapi.json')
  const paths = json.paths as unknown as Record<string, Record<string, unknown>>
  routes = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map(verb => `${verb.toUpperCase()} ${path}`),
  )
}, 60_000)
afterAll(() => registry.stop(), 30_000)

async function writeHistory(): Promise<void> {
  const pool = openHistoryPool(registry.database.url, { max: 1, name: 'test', onError: () => undefined })
  const now = Date.now()
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
    ],
    now,
  )
  await pool.end()
}

function callAs(route: string, options: { key?: string; headers?: Record<string, string> }): Promise<Answer> {
  const [verb, path] = route.split(' ') as [string, string]
  const known = ids[path.split('/')[2]!] ?? {}
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => known[name]!)
  return registry.call(verb, filled, ROUTES[route]!.body, options)
}

test('every route of the registry is in the table', () => {
  expect(Object.keys(ROUTES).sort()).toEqual(routes.sort())
})

describe('S7 another tenant', () => {
  test.each(Object.entries(ROUTES))('%s', async (route, { answers }) => {
    const others = await callAs(route, { key: keys.b })
    switch (answers) {
      case 'platform':
        return expect(others).toMatchObject({ status: 403, json: { code: 'role_missing' } })
      case 'unknown':
        return expect(others).toMatchObject({ status: 404, json: { code: expect.stringMatching(/_not_found$/) } })
      case 'own':
        expect(others.status).toBeLessThan(300)
        expect(others.text).not.toContain(MARK)
        expect(others.text).not.toContain(ids.webhooks!.id)
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

  test('the first one still has all of it, and can read it', async () => {
    for (const [route, { answers }] of Object.entries(ROUTES))
      if (answers === 'unknown' && route.startsWith('GET'))
        expect([route, (await callAs(route, { key: keys.a })).status]).toEqual([route, 200])
    const { json } = await callAs('GET /v1/webhooks/{id}', { key: keys.a })
    expect(json).toMatchObject({ version: 1, status: 'active', description: MARK })
  })

  test('a key with the role read changes nothing and sees no secret, one to publish sees nothing', async () => {
    for (const role of ['read', 'publish']) {
      const made = await registry.call('POST', '/v1/keys', { name: role, roles: [role] }, { key: keys.a })
      const key = made.json.key as string
      for (const [route, { answers }] of Object.entries(ROUTES)) {
        const { status } = await callAs(route, { key })
        const reads =
          role === 'read' &&
          answers !== 'platform' &&
          /^GET|filters\/test|\/check/.test(route) &&
          !/keys|audit/.test(route)
        expect([role, route, status]).toEqual([role, route, reads ? 200 : 403])
      }
    }
  })
})

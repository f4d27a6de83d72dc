// Longer than files are here: all of it needs one running registry, whose start takes seconds.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { SafeProducer, TableFollower } from '@posthorn/kafka'
import { Sealer } from '@posthorn/sealing'
import { openHistoryPool } from '@posthorn/store'
import { queryDatabase, until } from '@posthorn/testkit'
import {
  decodeKey,
  decodeTenant,
  decodeWebhook,
  encodeKey,
  KEYS,
  TENANTS,
  WEBHOOKS,
  type KeyDocument,
  type Tenant,
} from '@posthorn/topics'
import { headerContext, privateSecretFrom, verifierOf, type Webhook } from '@posthorn/webhook'
import { TestRegistry, type CallOptions } from './test-registry.js'

const WAIT_MS = 30_000
let registry: TestRegistry
let webhooks: TableFollower<Webhook>
let tenants: TableFollower<Tenant>
let keys: TableFollower<KeyDocument>

beforeAll(async () => {
  registry = await TestRegistry.start()
  const { connection } = registry
  const fatal = (error: Error) => {
    throw error
  }
  webhooks = new TableFollower<Webhook>(connection, { topic: WEBHOOKS, decode: decodeWebhook, fatal })
  tenants = new TableFollower<Tenant>(connection, { topic: TENANTS, decode: decodeTenant, fatal })
  keys = new TableFollower<KeyDocument>(connection, { topic: KEYS, decode: decodeKey, fatal })
  await Promise.all([webhooks.start(), tenants.start(), keys.start()])
}, 60_000)
afterAll(async () => {
  await Promise.all([webhooks.stop(), tenants.stop(), keys.stop()])
  await registry.stop()
}, 30_000)

const GOOD = { url: 'https://example.com/hook', events: ['agent.*'] }
const NONE = { webhooks: null, unindexed_filters: null, events_per_second: null }
const call = (method: string, path: string, body?: unknown, options?: CallOptions) =>
  registry.call(method, path, body, options)
const create = async (change: object = {}, options?: CallOptions) => {
  const answer = await call('POST', '/v1/webhooks', { ...GOOD, ...change }, options)
  expect(answer).toMatchObject({ status: 201 })
  return answer.json
}
const open = (sealed: string, context: string) => new Sealer(registry.settings.sealingKeys).unseal(sealed, context)

describe('S7 keys', () => {
  const make = async (body: object = {}, options?: CallOptions) =>
    (await call('POST', '/v1/keys', { name: 'k', roles: ['read'], ...body }, options)).json as unknown as {
      id: string
      key: string
    }

  test('a key is shown once, published by its hash, and ends when it is deleted', async () => {
    const made = await call('POST', '/v1/keys', { name: 'mine', roles: ['read', 'publish'] })
    expect(made).toMatchObject({ status: 201, json: { scope: 'tenant', tenant: 'default', version: 1 } })
    const { id, key } = made.json as unknown as { id: string; key: string }
    expect(made.headers.get('location')).toBe(`/v1/keys/${id}`)
    expect(await keys.waitFor(id, 1, WAIT_MS)).toBe(true)
    expect(JSON.stringify(keys.get(id))).not.toContain(key)
    expect(keys.get(id)).toMatchObject({ tenant: 'default', roles: ['read', 'publish'], status: 'active' })
    for (const path of ['/v1/keys', `/v1/keys/${id}`, `/v1/audit?subject=${id}`]) {
      const { text } = await call('GET', path)
      expect(text).toContain(id)
      expect(text).not.toContain(key)
    }
    expect(await call('GET', '/v1/webhooks', undefined, { key })).toMatchObject({ status: 200 })
    await until(async () => (await call('GET', `/v1/keys/${id}`)).json.last_used_at !== null, WAIT_MS)
    expect(await call('DELETE', `/v1/keys/${id}`)).toMatchObject({ status: 204 })
    expect(await call('GET', '/v1/webhooks', undefined, { key })).toMatchObject({ json: { code: 'key_invalid' } })
    expect(await call('GET', `/v1/keys/${id}`)).toMatchObject({ json: { code: 'key_not_found' } })
    expect(await keys.waitFor(id, 2, WAIT_MS)).toBe(true)
    expect(keys.get(id)).toMatchObject({ status: 'deleted', version: 2 })
  })

  test('a rotated key has another secret, and the old one ends at once', async () => {
    const { id, key } = await make()
    const rotated = await call('POST', `/v1/keys/${id}/rotate`)
    expect(rotated).toMatchObject({ status: 200, json: { id, version: 2 } })
    expect(await call('GET', '/v1/webhooks', undefined, { key })).toMatchObject({ status: 401 })
    const next = { key: rotated.json.key as string }
    expect(await call('GET', '/v1/webhooks', undefined, next)).toMatchObject({ status: 200 })
  })

  test('an address that is not allowed, and a time that is over, keep a key out', async () => {
    const far = await make({ allowed_ips: ['203.0.113.0/24'] })
    expect(await call('GET', '/v1/webhooks', undefined, far)).toMatchObject({ json: { code: 'address_not_allowed' } })
    const near = await make({ allowed_ips: ['203.0.113.0/24', '127.0.0.0/8'] })
    expect(await call('GET', '/v1/webhooks', undefined, near)).toMatchObject({ status: 200 })
    const brief = await make({ expires_at: new Date(Date.now() + 3600_000).toISOString() })
    expect(await call('GET', '/v1/webhooks', undefined, brief)).toMatchObject({ status: 200 })
    await queryDatabase(registry.database.url, 'UPDATE keys SET expires_at = now() WHERE id = $1', [brief.id])
    await until(async () => (await call('GET', '/v1/webhooks', undefined, brief)).json.code === 'key_expired', WAIT_MS)
  })

  test('a key of the platform is made by one of the platform alone, and acts for every tenant', async () => {
    const platform = await make({ scope: 'platform', roles: ['admin'] })
    expect(await call('GET', '/v1/tenants', undefined, platform)).toMatchObject({ status: 200 })
    expect(await keys.waitFor(platform.id, 1, WAIT_MS)).toBe(true)
    expect(keys.get(platform.id)).toMatchObject({ tenant: null })
    const tenant = await make({ roles: ['admin'] })
    for (const [method, path, body] of [
      ['POST', '/v1/keys', { name: 'k', roles: ['read'], scope: 'platform' }],
      ['GET', '/v1/keys?scope=platform'],
      ['GET', `/v1/keys/${platform.id}?scope=platform`],
      ['GET', '/v1/audit?scope=all'],
    ] as const)
      expect(await call(method, path, body, tenant)).toMatchObject({ status: 403, json: { code: 'role_missing' } })
  })

  test('an older document of a key that comes last on the topic is overwritten by the current one', async () => {
    const { id } = await make()
    expect(await keys.waitFor(id, 1, WAIT_MS)).toBe(true)
    const older = keys.get(id)!
    await call('DELETE', `/v1/keys/${id}`)
    const producer = new SafeProducer(registry.connection)
    await producer.connect()
    await producer.send(KEYS, encodeKey(older))
    await producer.close()
    expect(await keys.waitFor(id, 3, WAIT_MS)).toBe(true)
    expect(keys.get(id)).toMatchObject({ status: 'deleted' })
  })

  test.each([
    [{}, ['/name', '/roles']],
    [{ name: ' ', roles: [] }, ['/name', '/roles']],
    [{ name: 'k', roles: ['read', 'read', 'boss'] }, ['/roles/1', '/roles/2']],
    [
      { name: 'k', roles: ['read'], allowed_ips: ['10.0.0.1', '10.0.0.0/33', 'x/8', '::/129'] },
      [0, 1, 2, 3].map(i => `/allowed_ips/${i}`),
    ],
    [{ name: 'k', roles: ['read'], expires_at: 'tomorrow' }, ['/expires_at']],
    [{ name: 'k', roles: ['read'], expires_at: '2020-01-01T00:00:00Z' }, ['/expires_at']],
    [{ name: 'k', roles: ['read'], scope: 'world', key: 'phk_' }, ['/scope', '/key']],
  ])('%j is refused', async (body, pointers) => {
    const { json } = await call('POST', '/v1/keys', body)
    expect((json.errors as { pointer: string }[]).map(each => each.pointer).sort()).toEqual([...pointers].sort())
  })
})

describe('tenants', () => {
  test('are made once, changed by merge-patch, and published', async () => {
    const made = await call('POST', '/v1/tenants', { id: 'acme', description: 'first' })
    expect(made).toMatchObject({ status: 201, json: { id: 'acme', status: 'active', quotas: NONE } })
    expect(await tenants.waitFor('acme', 1, WAIT_MS)).toBe(true)
    expect(tenants.get('acme')).toMatchObject({ status: 'active', version: 1 })
    expect(await call('POST', '/v1/tenants', { id: 'acme' })).toMatchObject({
      status: 409,
      json: { code: 'tenant_exists' },
    })
    const changed = await call('PATCH', '/v1/tenants/acme', { quotas: { webhooks: 1 } })
    expect(changed).toMatchObject({
      status: 200,
      json: { version: 2, description: 'first', quotas: { ...NONE, webhooks: 1 } },
    })
    const options = { headers: { 'posthorn-tenant': 'acme' } }
    await create({}, options)
    expect(await call('POST', '/v1/webhooks', GOOD, options)).toMatchObject({
      status: 409,
      json: { code: 'quota_reached' },
    })
  })

  test('have a quota of events, which is published, and lifted by null', async () => {
    await call('POST', '/v1/tenants', { id: 'quick', quotas: { events_per_second: 5, webhooks: 9 } })
    expect(await tenants.waitFor('quick', 1, WAIT_MS)).toBe(true)
    expect(tenants.get('quick')).toEqual({ id: 'quick', version: 1, status: 'active', eventsPerSecond: 5 })
    const lifted = await call('PATCH', '/v1/tenants/quick', { quotas: { events_per_second: null } })
    expect(lifted).toMatchObject({ status: 200, json: { quotas: { ...NONE, webhooks: 9 } } })
    expect(await tenants.waitFor('quick', 2, WAIT_MS)).toBe(true)
    expect(tenants.get('quick')).toEqual({ id: 'quick', version: 2, status: 'active' })
  })

  test('S1 say what is done with types outside the catalogue, which is published, and null is the default', async () => {
    const path = '/v1/tenants/strict'
    const made = await call('POST', '/v1/tenants', { id: 'strict', unknown_event_types: 'refuse' })
    expect(made).toMatchObject({ status: 201, json: { unknown_event_types: 'refuse' } })
    expect(await tenants.waitFor('strict', 1, WAIT_MS)).toBe(true)
    expect(tenants.get('strict')).toMatchObject({ unknownEventTypes: 'refuse' })
    const described = await call('PATCH', path, { description: 'd' })
    expect(described.json).toMatchObject({ unknown_event_types: 'refuse', version: 2 })
    const lifted = await call('PATCH', path, { unknown_event_types: null })
    expect(lifted.json).toMatchObject({ unknown_event_types: 'accept', version: 3 })
    expect(await tenants.waitFor('strict', 3, WAIT_MS)).toBe(true)
    expect(tenants.get('strict')).toEqual({ id: 'strict', version: 3, status: 'active' })
    expect((await call('POST', '/v1/tenants', { id: 'open' })).json).toMatchObject({ unknown_event_types: 'accept' })
  })

  test.each(['warn', '', true, ['refuse'], { refuse: true }, 0])('S1 refuse %j for it', async value => {
    const { status, json } = await call('PATCH', '/v1/tenants/default', { unknown_event_types: value })
    expect({ status, json }).toMatchObject({ status: 400, json: { errors: [{ pointer: '/unknown_event_types' }] } })
  })

  test.each([-1, 1.5, '5', true, 1_000_001, []])('have no quota of %j', async value => {
    for (const name of ['webhooks', 'unindexed_filters', 'events_per_second']) {
      const { status, json } = await call('PATCH', '/v1/tenants/default', { quotas: { [name]: value } })
      expect({ status, json }).toMatchObject({ status: 400, json: { errors: [{ pointer: `/quotas/${name}` }] } })
    }
  })

  test('have a quota of filters without an exact value, for creation, upsert and change', async () => {
    await call('POST', '/v1/tenants', { id: 'loose', quotas: { unindexed_filters: 1 } })
    const options = { headers: { 'posthorn-tenant': 'loose' } }
    const filter = { data: { n: [{ numeric: ['>', 1] }] } }
    await create({ filter }, options)
    const exact = await create({ filter: { data: { kind: ['a'] } } }, options)
    const refused = {
      status: 409,
      json: {
        code: 'quota_reached',
        detail: 'The tenant may have at most 1 webhooks whose filter wants no exact value.',
      },
    }
    const whole = { ...GOOD, filter }
    expect(await call('POST', '/v1/webhooks', whole, options)).toMatchObject(refused)
    expect(await call('PUT', '/v1/webhooks/by-uid/u1', whole, options)).toMatchObject(refused)
    await call('PUT', '/v1/webhooks/by-uid/u1', GOOD, options)
    expect(await call('PUT', '/v1/webhooks/by-uid/u1', whole, options)).toMatchObject(refused)
    const patch = { filter: { data: { ...filter.data, kind: null } } }
    expect(await call('PATCH', `/v1/webhooks/${exact.id}`, patch, options)).toMatchObject(refused)
  })

  test('a deleted one is gone at once, with its webhooks and keys, and its id is not given again', async () => {
    await call('POST', '/v1/tenants', { id: 'gone' })
    const options = { headers: { 'posthorn-tenant': 'gone' } }
    const hooks = [await create({}, options), await create({}, options)]
    const { json } = await call('POST', '/v1/keys', { name: 'k', roles: ['read'] }, options)
    const deleted = await call('DELETE', '/v1/tenants/gone')
    expect(deleted).toMatchObject({ status: 202, json: { deletion: { finished_at: null } } })
    for (const [method, path, body] of [
      ['GET', '/v1/webhooks'],
      ['POST', '/v1/webhooks', GOOD],
      ['POST', '/v1/keys', { name: 'k', roles: ['read'] }],
      ['GET', `/v1/webhooks/${hooks[0]!.id}`],
    ] as const)
      expect(await call(method, path, body, options)).toMatchObject({ json: { code: 'tenant_not_found' } })
    await until(async () => (await call('GET', '/v1/tenants/gone')).json.status === 'deleted', WAIT_MS)
    expect((await call('GET', '/v1/tenants/gone')).json).toMatchObject({
      deletion: { webhooks: 2, keys: 1, finished_at: expect.any(String) },
    })
    expect(await call('GET', '/v1/webhooks', undefined, { key: json.key as string })).toMatchObject({ status: 401 })
    for (const { id } of hooks) await until(() => webhooks.get(id)?.status === 'deleted', WAIT_MS)
    await until(() => keys.get(json.id)?.status === 'deleted', WAIT_MS)
    expect(await call('POST', '/v1/tenants', { id: 'gone' })).toMatchObject({ json: { code: 'tenant_exists' } })
    expect(await call('DELETE', '/v1/tenants/gone')).toMatchObject({ json: { code: 'tenant_not_found' } })
    expect(await call('DELETE', '/v1/tenants/default')).toMatchObject({ json: { code: 'tenant_protected' } })
  })
})

describe('S3 webhooks', () => {
  test('have a method, a uid and headers, whose values are sealed and never shown', async () => {
    const headers = { 'X-Api-Key': 'very secret', authorization: 'Basic eDp5' }
    const made = await create({ method: 'PUT', uid: 'mine.1', headers })
    expect(made).toMatchObject({
      method: 'PUT',
      uid: 'mine.1',
      headers: { 'x-api-key': '[redacted]', authorization: '[redacted]' },
    })
    expect(await webhooks.waitFor(made.id, 1, WAIT_MS)).toBe(true)
    const document = webhooks.get(made.id)!
    expect(JSON.stringify(document)).not.toContain('very secret')
    expect(open(document.sealedHeaders!['x-api-key']!, headerContext(made.id, 'x-api-key'))).toBe('very secret')
    const patch = { headers: { AUTHORIZATION: null, 'x-b': '2' }, method: null }
    const changed = await call('PATCH', `/v1/webhooks/${made.id}`, patch)
    expect(changed.json).toMatchObject({ method: 'POST', version: 2 })
    expect(changed.json.headers).toEqual({ 'x-api-key': '[redacted]', 'x-b': '[redacted]' })
    const audit = await call('GET', `/v1/audit?subject=${made.id}`)
    expect(audit.text).not.toMatch(/very secret|Basic/)
  })

  test.each([
    [{ headers: { host: 'x', 'Webhook-Id': 'x', 'a b': 'x', ok: 'a\r\nb', 'X-A': '1', 'x-a': '2' } }, 5],
    [{ headers: { a: '[redacted]' } }, 1],
    [{ headers: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`h${i}`, 'v'])) }, 1],
    [{ uid: 'a/b' }, 1],
    [{ uid: '' }, 1],
    [{ method: 'GET' }, 1],
    [{ method: 'post' }, 1],
  ])('%j is refused', async (change, faults) => {
    const answer = await call('POST', '/v1/webhooks', { ...GOOD, ...change })
    expect(answer).toMatchObject({ status: 400, json: { code: 'request_invalid' } })
    expect(answer.json.errors).toHaveLength(faults)
  })

  test('take a header of any name, that of what every object inherits too', async () => {
    const upsert = (headers: object) => call('PUT', '/v1/webhooks/by-uid/inherited', { ...GOOD, headers })
    const redacted = { constructor: '[redacted]', 'x-a': '[redacted]' }
    expect(await upsert({})).toMatchObject({ status: 201 })
    expect((await upsert({ constructor: 'c', 'X-A': '1' })).json).toMatchObject({ headers: redacted, version: 2 })
    const { id } = (await upsert({ constructor: 'c', 'X-A': '1' })).json
    expect((await call('PATCH', `/v1/webhooks/${id}`, { headers: { 'x-a': '2' } })).json.headers).toEqual(redacted)
    expect(await webhooks.waitFor(id, 3, WAIT_MS)).toBe(true)
    const { constructor: sealed } = webhooks.get(id)!.sealedHeaders as { constructor: unknown }
    expect(open(sealed as string, headerContext(id, 'constructor'))).toBe('c')
  })

  test('are found by status, uid and the type of an event', async () => {
    await call('POST', '/v1/tenants', { id: 'finds' })
    const options = { headers: { 'posthorn-tenant': 'finds' } }
    const all = await create({ events: ['*'] }, options)
    const agent = await create({ events: ['agent.*'], uid: 'agents' }, options)
    const one = await create({ events: ['agent.created', 'x.y'] }, options)
    const find = async (query: string) =>
      (await call('GET', `/v1/webhooks?${query}`, undefined, options)).json.data.map(each => each.id)
    expect(await find('event_type=agent.created')).toEqual([one.id, agent.id, all.id])
    expect(await find('event_type=agent.deleted')).toEqual([agent.id, all.id])
    expect(await find('uid=agents')).toEqual([agent.id])
    await call('POST', `/v1/webhooks/${all.id}/disable`, undefined, options)
    expect(await find('status=disabled')).toEqual([all.id])
    expect(await call('POST', `/v1/webhooks/${all.id}/test`, {}, options)).toMatchObject({
      json: { code: 'webhook_disabled' },
    })
    await call('POST', `/v1/webhooks/${all.id}/enable`, undefined, options)
    expect(await find('status=disabled')).toEqual([])
  })

  test('are what the last upsert says, and the same one twice changes nothing', async () => {
    const path = '/v1/webhooks/by-uid/declared'
    const body = { ...GOOD, headers: { a: '1' }, metadata: { team: 'x' } }
    const first = await call('PUT', path, body)
    expect(first).toMatchObject({ status: 201, json: { uid: 'declared', version: 1, secret: expect.any(String) } })
    const again = await call('PUT', path, body)
    expect(again).toMatchObject({ status: 200, json: { id: first.json.id, version: 1 } })
    expect(again.text).not.toContain('whsec_')
    const next = await call('PUT', path, { ...GOOD, secret: 'a secret of my own choice' })
    expect(next.json).toMatchObject({ version: 2, headers: {}, metadata: {} })
    expect((await call('PUT', path, { ...GOOD, secret: 'a secret of my own choice' })).json).toMatchObject({
      version: 2,
    })
    expect((await call('PUT', path, GOOD)).json).toMatchObject({ version: 2 })
    expect(await call('PUT', path, { ...GOOD, uid: 'another' })).toMatchObject({ status: 400 })
    expect(await call('POST', '/v1/webhooks', { ...GOOD, uid: 'declared' })).toMatchObject({
      json: { code: 'uid_taken' },
    })
  })

  test('five upserts of one uid at once make one webhook', async () => {
    const upsert = () => call('PUT', '/v1/webhooks/by-uid/raced', GOOD)
    const answers = await Promise.all([1, 2, 3, 4, 5].map(upsert))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201])
    expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1)
  })

  test('S6 a rotated secret signs beside the old one until the overlap is over', async () => {
    const { id, secret } = await create()
    const rotated = await call('POST', `/v1/webhooks/${id}/secrets/rotate`)
    expect(rotated).toMatchObject({ status: 201, json: { secret: expect.stringMatching(/^whsec_/), expires_at: null } })
    expect(await webhooks.waitFor(id, 2, WAIT_MS)).toBe(true)
    const signing = () => webhooks.get(id)!.sealedSecrets.map(sealed => open(sealed, id))
    expect(signing()).toEqual([rotated.json.secret, secret])
    const listed = await call('GET', `/v1/webhooks/${id}/secrets`)
    expect(listed.text).not.toContain('whsec_')
    const [, old] = listed.json.data as { id: string; expires_at: string }[]
    expect(Date.parse(old!.expires_at) - Date.now()).toBeGreaterThan(23 * 3600_000)
    const revealed = await call('POST', `/v1/webhooks/${id}/secrets/${old!.id}/reveal`)
    expect(revealed.json).toMatchObject({ secret })
    const audit = await call('GET', `/v1/audit?subject=${id}&action=webhook.secret_revealed`)
    expect(audit.json.data).toHaveLength(1)
    expect(audit.text).not.toContain('whsec_')
    await call('POST', `/v1/webhooks/${id}/secrets/rotate`, { overlap_seconds: 0, secret: 'the only one from now on' })
    await until(() => signing().length === 1, WAIT_MS)
    expect(signing()).toEqual(['the only one from now on'])
  })

  test('S6 of a key pair the public half alone is shown, and a rotation makes another pair', async () => {
    const { id, secret } = await create({ signature: 'v1a' })
    expect(secret).toMatch(/^whpk_[A-Za-z0-9+/]{43}=$/)
    const rotated = await call('POST', `/v1/webhooks/${id}/secrets/rotate`)
    expect(rotated).toMatchObject({ status: 201, json: { signature: 'v1a', secret: expect.stringMatching(/^whpk_/) } })
    const back = await call('POST', `/v1/webhooks/${id}/secrets/rotate`, { signature: 'v1' })
    expect(back).toMatchObject({ status: 201, json: { signature: 'v1', secret: expect.stringMatching(/^whsec_/) } })
    expect(await webhooks.waitFor(id, 3, WAIT_MS)).toBe(true)
    const signing = webhooks.get(id)!.sealedSecrets.map(sealed => verifierOf(open(sealed, id)))
    expect(signing).toEqual([back.json.secret, rotated.json.secret, secret])
    const listed = await call('GET', `/v1/webhooks/${id}/secrets`)
    const [, , first] = listed.json.data as { id: string }[]
    expect(listed.json.data).toMatchObject([{ signature: 'v1' }, { signature: 'v1a' }, { signature: 'v1a' }])
    const revealed = await call('POST', `/v1/webhooks/${id}/secrets/${first!.id}/reveal`)
    expect(revealed.json).toMatchObject({ secret, signature: 'v1a' })
    const audit = await call('GET', `/v1/audit?subject=${id}`)
    for (const { text } of [listed, revealed, audit]) expect(text).not.toMatch(/whsk_/)
  })

  test('S6 a key pair may be brought along, and a kind that its secret is not of is refused', async () => {
    const given = privateSecretFrom(Buffer.alloc(32, 6))
    const { id, secret } = await create({ secret: given, signature: 'v1a' })
    expect(secret).toBe(verifierOf(given))
    expect(await webhooks.waitFor(id, 1, WAIT_MS)).toBe(true)
    expect(open(webhooks.get(id)!.sealedSecrets[0]!, id)).toBe(given)
    for (const body of [
      { ...GOOD, secret: given, signature: 'v1' },
      { ...GOOD, secret: 'sixteen letters!', signature: 'v1a' },
      { ...GOOD, signature: 'v2' },
    ])
      expect(await call('POST', '/v1/webhooks', body)).toMatchObject({
        status: 400,
        json: { code: 'request_invalid', errors: [{ pointer: '/signature' }] },
      })
    const wrong = { ...GOOD, secret: verifierOf(given) }
    expect((await call('POST', '/v1/webhooks', wrong)).json).toMatchObject({ errors: [{ pointer: '/secret' }] })
    const kept = await call('POST', `/v1/webhooks/${id}/secrets/rotate`, { secret: given, signature: 'v1' })
    expect(kept).toMatchObject({ status: 400, json: { errors: [{ pointer: '/signature' }] } })
    expect((await call('GET', `/v1/webhooks/${id}`)).json).toMatchObject({ version: 1 })
  })
})

describe('manners', () => {
  test('a POST with the same Idempotency-Key is run once, and answered as it was', async () => {
    const headers = { 'idempotency-key': 'abc' }
    const post = (body: object, more = {}) => call('POST', '/v1/webhooks', body, { headers: { ...headers, ...more } })
    const answers = await Promise.all([post(GOOD), post(GOOD), post(GOOD)])
    const [first] = answers.filter(({ status }) => status === 201)
    for (const { status, json } of answers)
      if (status !== 201) expect({ status, code: json.code }).toEqual({ status: 409, code: 'idempotency_running' })
    const again = await post(GOOD)
    expect(again).toMatchObject({ status: 201, json: first!.json })
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    for (const name of ['location', 'etag']) expect(again.headers.get(name)).toBe(first!.headers.get(name))
    expect(await post({ ...GOOD, description: 'x' })).toMatchObject({
      status: 422,
      json: { code: 'idempotency_mismatch' },
    })
    expect(await post(GOOD, { 'idempotency-key': 'ä' })).toMatchObject({ status: 400 })
  })

  test('what failed may be sent again with its key', async () => {
    const headers = { 'idempotency-key': 'failed' }
    expect(await call('POST', '/v1/webhooks', {}, { headers })).toMatchObject({ status: 400 })
    expect(await call('POST', '/v1/webhooks', GOOD, { headers })).toMatchObject({ status: 201 })
  })

  test('the answers that are kept hold no secret in the clear', async () => {
    const headers = { 'idempotency-key': 'sealed' }
    const { secret } = await create({}, { headers })
    const pool = openHistoryPool(registry.database.url, {
      max: 1,
      name: 'test',
      onError: () => undefined,
    })
    const { rows } = await pool.query('SELECT * FROM idempotency')
    await pool.end()
    expect(JSON.stringify(rows)).not.toContain(String(secret).slice(6))
  })

  test('If-Match lets a change in only on the version that was read', async () => {
    const { id } = await create()
    const read = await call('GET', `/v1/webhooks/${id}`)
    const etag = read.headers.get('etag')!
    expect(etag).toBe('"1"')
    const patch = (match: string) =>
      call('PATCH', `/v1/webhooks/${id}`, { description: match }, { headers: { 'if-match': match } })
    const [one, other] = await Promise.all([patch(etag), patch(etag)])
    expect([one.status, other.status].sort()).toEqual([200, 412])
    expect(await patch('"9"')).toMatchObject({ status: 412, json: { code: 'version_conflict' } })
    expect(await patch('W/"2"')).toMatchObject({ status: 400 })
    expect(await patch('*')).toMatchObject({ status: 200, json: { version: 3 } })
    const remove = (match: string) =>
      call('DELETE', `/v1/webhooks/${id}`, undefined, { headers: { 'if-match': match } })
    expect(await remove('"2"')).toMatchObject({ status: 412 })
    expect(await remove('"3"')).toMatchObject({ status: 204 })
  })
})

describe('the audit', () => {
  test('says who changed what, when and from where, before and after', async () => {
    const { id } = await create({ description: 'one' }, { headers: { 'x-request-id': 'r-1' } })
    await call('PATCH', `/v1/webhooks/${id}`, { description: 'two' })
    await call('PATCH', `/v1/webhooks/${id}`, { description: 'two' })
    await call('DELETE', `/v1/webhooks/${id}`)
    const { json } = await call('GET', `/v1/audit?subject=${id}&limit=2`)
    expect(json.data).toMatchObject([
      { action: 'webhook.deleted', before: { description: 'two', version: 2 }, after: null },
      { action: 'webhook.updated', before: { description: 'one' }, after: { description: 'two' } },
    ])
    const rest = await call('GET', `/v1/audit?subject=${id}&limit=2&cursor=${String(json.next_cursor)}`)
    expect(rest.json.data).toMatchObject([
      {
        action: 'webhook.created',
        key: 'platform',
        address: '127.0.0.1',
        request_id: 'r-1',
        tenant: 'default',
        before: null,
      },
    ])
    const none = await call('GET', `/v1/audit?subject=${id}&to=2020-01-01T00:00:00Z`)
    expect(none.json.data).toEqual([])
    expect(await call('GET', '/v1/audit?from=yesterday')).toMatchObject({ status: 400 })
  })

  test('a change that is refused leaves nothing', async () => {
    const { id } = await create({ uid: 'audited' })
    const other = await create()
    await call('PATCH', `/v1/webhooks/${other.id}`, { uid: 'audited' })
    await call('PATCH', `/v1/webhooks/${id}`, { description: 'x' }, { headers: { 'if-match': '"7"' } })
    for (const subject of [id, other.id])
      expect((await call('GET', `/v1/audit?subject=${subject}`)).json.data).toHaveLength(1)
  })
})

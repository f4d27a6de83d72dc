import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { TableFollower } from '@posthorn/kafka'
import { CATALOGUE, decodeEventType, type EventTypeDocument } from '@posthorn/topics'
import { TestRegistry, type Answer, type CallOptions } from './test-registry.js'

let registry: TestRegistry
let published: TableFollower<EventTypeDocument>
let names = 0

beforeAll(async () => {
  registry = await TestRegistry.start()
  const fatal = (error: Error) => {
    throw error
  }
  published = new TableFollower(registry.connection, { topic: CATALOGUE, decode: decodeEventType, fatal })
  await published.start()
}, 60_000)

afterAll(async () => {
  await published.stop()
  await registry.stop()
}, 30_000)

/** On the topic, as soon as its reader here comes to it. */
async function stands(key: string, wanted: object): Promise<void> {
  for (let left = 3000; ; left--)
    try {
      return expect(published.get(key)).toMatchObject(wanted)
    } catch (error) {
      if (left === 0) throw error
      await sleep(10)
    }
}

const SCHEMA = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string' }, constructor: { type: 'integer' }, total: { type: 'number' } },
}
const EXAMPLE = { id: 'o-1', total: 3 }

const call = (method: string, path: string, body?: unknown, options?: CallOptions) =>
  registry.call(method, `/v1/event-types${path}`, body, options)
const pointersOf = ({ json }: Answer) =>
  (json.errors as readonly { readonly pointer: string }[] | undefined)?.map(({ pointer }) => pointer)
const codeOf = ({ status, json }: Answer) => [status, json.code]

/** A type of its own for each test. */
async function made(extra: object = {}, options?: CallOptions): Promise<string> {
  const type = `order.n${++names}`
  const answer = await call('POST', '', { type, schema: SCHEMA, example: EXAMPLE, ...extra }, options)
  expect([answer.status, answer.text]).toEqual([201, expect.anything()])
  return type
}

async function tenantKey(tenant: string): Promise<string> {
  await registry.call('POST', '/v1/tenants', { id: tenant })
  const { json } = await registry.call('POST', '/v1/keys', { name: 'k', roles: ['admin'] }, of(tenant))
  return json.key as string
}

const of = (tenant: string): CallOptions => ({ headers: { 'posthorn-tenant': tenant } })

describe('S1 /v1/event-types: the built-in catalogue', () => {
  it('S1 lists it by name, page by page', async () => {
    const all: unknown[] = []
    let cursor = ''
    do {
      const { json } = await call('GET', `?scope=built_in&limit=10${cursor}`)
      all.push(...json.data.map(({ type }) => type))
      cursor = json.next_cursor ? `&cursor=${String(json.next_cursor)}` : ''
    } while (cursor !== '')
    expect(all).toHaveLength(32)
    expect(all).toEqual([...all].sort())
  })

  it('S1 gives each with its schema and an example', async () => {
    const { status, headers, json } = await call('GET', '/agent.created')
    expect([status, headers.get('etag')]).toEqual([200, '"0"'])
    expect(json).toMatchObject({
      type: 'agent.created',
      scope: 'built_in',
      status: 'active',
      mode: 'off',
      schema_version: 1,
      schema: { type: 'object', required: ['agent_id', 'name'] },
      example: { agent_id: 'agt_5fK2mQ' },
    })
    const versions = await call('GET', '/agent.created/versions')
    expect(versions.json.data).toEqual([{ number: 1, breaking: false, created_at: null }])
    expect(codeOf(await call('GET', '/agent.unheard'))).toEqual([404, 'event_type_not_found'])
  })

  it('S1 a change makes a type of the tenant of it, and an archived one does not count', async () => {
    const options = { key: await tenantKey('adopts') }
    const { status, json } = await call('PATCH', '/agent.stopped', { mode: 'enforce' }, options)
    expect([status, json]).toMatchObject([200, { scope: 'tenant', mode: 'enforce', schema_version: 1, version: 1 }])
    await stands('adopts/agent.stopped', { mode: 'enforce', schema: { type: 'object' } })
    expect((await call('GET', '/agent.stopped')).json.scope).toBe('built_in')
    expect((await call('POST', '/agent.stopped/archive', undefined, options)).json.status).toBe('archived')
    expect((await call('GET', '/agent.stopped', undefined, options)).json.scope).toBe('built_in')
    expect((await call('GET', '/agent.stopped?scope=tenant', undefined, options)).json.status).toBe('archived')
    expect((await call('GET', '?status=archived', undefined, options)).json.data).toHaveLength(1)
    expect(codeOf(await call('POST', '/agent.error/archive', undefined, options))).toEqual([
      404,
      'event_type_not_found',
    ])
  })
})

describe('S1 /v1/event-types: own types', () => {
  it('S1 are answered as they were made, and are on catalogue.v1 by then', async () => {
    const type = await made({ mode: 'enforce', description: 'An order.' })
    const { json, headers } = await call('GET', `/${type}`)
    expect(headers.get('etag')).toBe('"1"')
    expect(json).toEqual({
      type,
      scope: 'tenant',
      status: 'active',
      mode: 'enforce',
      description: 'An order.',
      schema_version: 1,
      schema: SCHEMA,
      example: EXAMPLE,
      created_at: expect.any(String),
      updated_at: expect.any(String),
      version: 1,
    })
    expect(Object.keys((json.schema as typeof SCHEMA).properties)).toEqual(['id', 'constructor', 'total'])
    await stands(`default/${type}`, { version: 1, mode: 'enforce', schema: SCHEMA })
    expect(codeOf(await call('POST', '', { type, schema: SCHEMA }))).toEqual([409, 'event_type_exists'])
  })

  it.each<[string, object, string[]]>([
    ['no type', {}, ['/type']],
    ['a pattern', { type: 'order.*' }, ['/type']],
    ['a reserved type', { type: 'posthorn.order' }, ['/type']],
    ['a mode without a schema', { type: 'a', mode: 'warn' }, ['/mode']],
    ['an unknown mode', { type: 'a', mode: 'on' }, ['/mode']],
    ['an unknown field', { type: 'a', schemas: {} }, ['/schemas']],
    ['a schema that is none', { type: 'a', schema: { type: 'strin' } }, ['/schema/type']],
    ['a schema that is text', { type: 'a', schema: '{}' }, ['/schema']],
    ['a schema that is null', { type: 'a', schema: null }, ['/schema']],
    ['a remote reference', { type: 'a', schema: { $ref: 'http://127.0.0.1/' } }, ['/schema/$ref']],
    ['an expression that looks ahead', { type: 'a', schema: { pattern: '(?=a)' } }, ['/schema/pattern']],
    ['an example that does not fit', { type: 'a', schema: SCHEMA, example: { id: 1 } }, ['/example/id']],
  ])('S1 refuses %s', async (_name, body, pointers) => {
    const answer = await call('POST', '', body)
    expect([answer.status, pointersOf(answer)]).toEqual([400, pointers])
  })

  it('S1 refuses what is nested without end, and goes on', async () => {
    const nested = (levels: number) => JSON.parse(`${'{"not":'.repeat(levels)}{}${'}'.repeat(levels)}`) as object
    const answers = await Promise.all(
      [65, 2000].map(levels => call('POST', '', { type: 'deep', schema: nested(levels) })),
    )
    expect(answers.map(({ status }) => status)).toEqual([400, 400])
    expect(pointersOf(answers[0]!)).toEqual(['/schema'])
  })

  it('S1 a new version that breaks the one before is refused with the path, unless it is asked for', async () => {
    const type = await made()
    const breaking = { schema: { ...SCHEMA, required: ['id', 'total'] } }
    const refused = await call('POST', `/${type}/versions`, breaking)
    expect([codeOf(refused), pointersOf(refused)]).toEqual([[409, 'event_type_incompatible'], ['/schema/required']])
    expect(refused.json.detail).toMatch(/now requires "total" \(in the data at \/total\)/)
    const taken = await call('POST', `/${type}/versions`, { ...breaking, allow_breaking: true })
    expect([taken.status, taken.headers.get('location')]).toEqual([201, `/v1/event-types/${type}/versions/2`])
    expect(taken.json).toMatchObject({
      number: 2,
      breaks: [{ pointer: '/required', data: '/total', message: 'now requires "total"' }],
      news: [],
    })
    const { json } = await call('GET', `/${type}/versions`)
    const created_at = expect.stringMatching(/Z$/)
    expect(json.data).toEqual([
      { number: 2, breaking: true, created_at },
      { number: 1, breaking: false, created_at },
    ])
    const first = await call('GET', `/${type}/versions?limit=1`)
    const rest = await call('GET', `/${type}/versions?cursor=${String(first.json.next_cursor)}`)
    expect(rest.json.data).toEqual([{ number: 1, breaking: false, created_at }])
    expect((await call('GET', `/${type}/versions/1`)).json.schema).toEqual(SCHEMA)
    expect(codeOf(await call('GET', `/${type}/versions/3`))).toEqual([404, 'event_type_not_found'])
    expect(codeOf(await call('GET', `/${type}/versions/-99999999999`))).toEqual([404, 'event_type_not_found'])
    expect(codeOf(await call('GET', `/${type}/versions/x`))).toEqual([400, 'request_invalid'])
    await stands(`default/${type}`, { version: 2, schemaVersion: 2 })
  })

  it('S1 a compatible version says what is new for receivers', async () => {
    const type = await made()
    const properties = { ...SCHEMA.properties, id: { type: ['string', 'integer'] } }
    const { status, json } = await call('POST', `/${type}/versions`, { schema: { ...SCHEMA, properties } })
    expect([status, json.breaks]).toEqual([201, []])
    expect(json.news).toEqual([{ pointer: '/properties/id/type', data: '/id', message: 'no longer takes integer' }])
  })

  it('S1 check changes nothing, and tells the faults of data', async () => {
    const type = await made()
    const before = (await call('GET', `/${type}`)).text
    const { json } = await call('POST', `/${type}/check`, { data: { id: 7 } })
    expect(json).toMatchObject({ compatible: true, faults: [{ pointer: '/id', detail: 'must be a string' }] })
    const narrowed = await call('POST', `/${type}/check`, {
      schema: { ...SCHEMA, type: ['object', 'null'], minProperties: 3 },
    })
    expect(narrowed.json).toMatchObject({ compatible: false, breaks: [{ pointer: '/minProperties' }] })
    expect((await call('GET', `/${type}`)).text).toBe(before)
  })

  it('S1 two changes at once: none is lost, and If-Match lets one of them through', async () => {
    const type = await made()
    const match = { headers: { 'if-match': '"1"' } }
    const answers = await Promise.all([
      call('PATCH', `/${type}`, { description: 'a' }, match),
      call('PATCH', `/${type}`, { mode: 'warn' }, match),
    ])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412])
    const adopting = await Promise.all(
      [{ mode: 'warn' }, { description: 'mine' }].map(body => call('PATCH', '/system.error', body)),
    )
    expect(adopting.map(({ status }) => status)).toEqual([200, 200])
    expect((await call('GET', '/system.error')).json).toMatchObject({ mode: 'warn', description: 'mine', version: 2 })
  })

  it('S1 are deprecated, archived and restored', async () => {
    const type = await made({ mode: 'enforce' })
    expect((await call('POST', `/${type}/deprecate`)).json.status).toBe('deprecated')
    await stands(`default/${type}`, { status: 'deprecated' })
    expect((await call('POST', `/${type}/archive`)).json.status).toBe('archived')
    expect(codeOf(await call('GET', `/${type}`))).toEqual([404, 'event_type_not_found'])
    expect(codeOf(await call('POST', `/${type}/versions`, { schema: SCHEMA }))).toEqual([409, 'event_type_archived'])
    expect((await call('POST', `/${type}/restore`)).json).toMatchObject({ status: 'active', mode: 'enforce' })
  })

  it('S1 of a tenant are unknown to the others; of the platform they are there for all, and its own to change', async () => {
    const [mine, theirs] = [await tenantKey('mine'), await tenantKey('theirs')]
    const type = await made({}, { key: mine })
    expect(codeOf(await call('GET', `/${type}`, undefined, { key: theirs }))).toEqual([404, 'event_type_not_found'])
    expect(codeOf(await call('PATCH', `/${type}`, { mode: 'off' }, { key: theirs }))).toEqual([
      404,
      'event_type_not_found',
    ])
    const wide = await made({ scope: 'platform', mode: 'enforce' })
    await stands(`*/${wide}`, { tenant: null, mode: 'enforce' })
    expect((await call('GET', `/${wide}`, undefined, { key: theirs })).json.scope).toBe('platform')
    expect(codeOf(await call('PATCH', `/${wide}?scope=platform`, { mode: 'off' }, { key: theirs }))).toEqual([
      403,
      'role_missing',
    ])
    expect(codeOf(await call('POST', '', { type: 'x', scope: 'platform' }, { key: theirs }))).toEqual([
      403,
      'role_missing',
    ])
    expect((await call('PATCH', `/${wide}`, { mode: 'off' }, { key: theirs })).json).toMatchObject({
      scope: 'tenant',
      mode: 'off',
    })
    const listed = (await call('GET', '?limit=250', undefined, { key: theirs })).json.data
    expect(listed.filter(one => one.type === wide)).toMatchObject([{ scope: 'tenant', mode: 'off' }])
    expect(listed.map(one => one.type)).not.toContain(type)
  })

  it('S1 go with their tenant', async () => {
    const key = await tenantKey('leaves')
    const type = await made({ mode: 'enforce' }, { key })
    await registry.call('DELETE', '/v1/tenants/leaves')
    expect(await published.waitFor(`leaves/${type}`, 2, 30_000)).toBe(true)
    const left = published.get(`leaves/${type}`)
    expect([left?.status, left?.schema]).toEqual(['deleted', undefined])
  }, 30_000)

  it('S1 of one owner have at most 8 MiB of schemas', async () => {
    const key = await tenantKey('much')
    const schema = { description: 'x'.repeat(250 * 1024) }
    const make = async (i: number): Promise<number> => {
      const { status } = await call('POST', '', { type: `big.n${i}`, schema }, { key })
      return status === 503 ? make(i) : status
    }
    // 8 MiB at once would be more than a busy machine stores before callers are told to come again.
    for (let i = 0; i < 32; i += 4)
      expect(await Promise.all([i, i + 1, i + 2, i + 3].map(make))).toEqual([201, 201, 201, 201])
    const full = [409, 'quota_reached']
    expect(codeOf(await call('POST', '', { type: 'big.last', schema }, { key }))).toEqual(full)
    const version = { schema: { description: 'x'.repeat(100) } }
    expect((await call('POST', '/big.n0/versions', version, { key })).status).toBe(201)
    expect((await call('POST', '', { type: 'big.last', schema }, { key })).status).toBe(201)
    expect(codeOf(await call('POST', '/big.n0/versions', { schema }, { key }))).toEqual(full)
  }, 30_000)

  it('S3 send their own example as a sample, in place of the built-in one', async () => {
    const [own, key] = [await made(), await tenantKey('samples')]
    const { id } = (await registry.call('POST', '/v1/webhooks', { url: 'https://example.com', events: [own] })).json
    const sample = async (body: object, hook = id, options?: CallOptions) =>
      (await registry.call('POST', `/v1/webhooks/${hook}/test`, body, options)).json.event
    expect(await sample({})).toMatchObject({ type: own, data: EXAMPLE })
    expect(await sample({ type: 'nobody.has.it' })).toMatchObject({ data: { test: true } })
    const theirs = { url: 'https://example.com', events: ['agent.error'] }
    const other = (await registry.call('POST', '/v1/webhooks', theirs, { key })).json.id
    expect(await sample({ type: own }, other, { key })).toMatchObject({ data: { test: true } })
    const { json: builtIn } = await call('GET', '/agent.error', undefined, { key })
    expect(await sample({}, other, { key })).toMatchObject({ type: 'agent.error', data: builtIn.example })
    await call('PATCH', '/agent.error', { example: { ...(builtIn.example as object), extra: 1 } }, { key })
    expect(await sample({}, other, { key })).toMatchObject({ data: { extra: 1 } })
  })

  it('S1 leave a trail', async () => {
    const type = await made()
    await call('PATCH', `/${type}`, { mode: 'warn' })
    const { json } = await registry.call('GET', `/v1/audit?subject=${encodeURIComponent(`default/${type}`)}`)
    expect(json.data.map(({ action }) => action)).toEqual(['event_type.updated', 'event_type.created'])
    expect(json.data[0]).toMatchObject({ before: { mode: 'off' }, after: { mode: 'warn', schema_version: 1 } })
    expect(json.data[0]).not.toHaveProperty('after.schema')
  })
})

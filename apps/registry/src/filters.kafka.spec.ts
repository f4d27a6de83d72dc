import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { TableFollower } from '@posthorn/kafka'
import { decodeWebhook, WEBHOOKS } from '@posthorn/topics'
import type { Webhook } from '@posthorn/webhook'
import { TestRegistry, type Answer } from './test-registry.js'

const WAIT_MS = 30_000
const GOOD = { url: 'https://example.com/hook', events: ['order.*'] }
/** Stands in a request with its digits as they are; the typings do not know it yet. */
const raw = (text: string) => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)
const pointers = (answer: Answer) => (answer.json.errors as { pointer: string }[]).map(error => error.pointer)

let registry: TestRegistry
let published: TableFollower<Webhook>

beforeAll(async () => {
  registry = await TestRegistry.start()
  const fatal = (error: Error) => {
    throw error
  }
  published = new TableFollower<Webhook>(registry.connection, { topic: WEBHOOKS, decode: decodeWebhook, fatal })
  await published.start()
}, 60_000)

afterAll(async () => {
  await published.stop()
  await registry.stop()
}, 30_000)

describe('the filter of a webhook', () => {
  const filter = { zone: ['eu'], data: { a: [{ numeric: ['>', 5] }, null], constructor: [{ exists: false }] } }

  it('S3 is kept, shown, published and changed', async () => {
    const created = await registry.call('POST', '/v1/webhooks', { ...GOOD, filter })
    expect(created).toMatchObject({ status: 201, json: { filter } })
    const { id } = created.json
    expect((await registry.call('GET', `/v1/webhooks/${id}`)).json.filter).toEqual(filter)
    expect(await published.waitFor(id, 1, WAIT_MS)).toBe(true)
    expect(published.get(id)!.filter).toEqual(filter)

    const patch = (body: object) => registry.call('PATCH', `/v1/webhooks/${id}`, body)
    expect((await patch({ description: 'x' })).json).toMatchObject({ version: 2, filter })
    const merged = await patch({ filter: { zone: null, data: { a: ['x'] } } })
    expect(merged.json).toMatchObject({ version: 3, filter: { data: { a: ['x'], constructor: [{ exists: false }] } } })
    expect(pointers(await patch({ filter: { data: { a: [{ prefix: 1 }] } } }))).toEqual(['/filter/data/a/0/prefix'])
    expect(pointers(await patch({ filter: { data: null } }))).toEqual(['/filter'])
    expect((await patch({ filter: null })).json).toMatchObject({ version: 4, filter: null })
    expect(await published.waitFor(id, 4, WAIT_MS)).toBe(true)
    expect(published.get(id)!.filter).toBeUndefined()
  })

  it('is replaced by an upsert, which changes nothing when it is sent again', async () => {
    const put = (body: object) => registry.call('PUT', '/v1/webhooks/by-uid/filtered', body)
    expect((await put({ ...GOOD, filter })).status).toBe(201)
    expect((await put({ ...GOOD, filter })).json).toMatchObject({ version: 1, filter })
    expect((await put({ ...GOOD, filter: { id: ['x'] } })).json).toMatchObject({ version: 2, filter: { id: ['x'] } })
    expect((await put(GOOD)).json).toMatchObject({ version: 3, filter: null })
  })

  it('is taken by gRPC as well', async () => {
    const ids = {
      listValue: { values: [{ stringValue: 'x' }, { structValue: { fields: { prefix: { numberValue: 1 } } } }] },
    }
    const create = (values: object) =>
      registry.rpc('WebhookService/CreateWebhook', { webhook: { ...GOOD, filter: { fields: { id: values } } } })
    await expect(create({ listValue: { values: [{ stringValue: 'x' }] } })).resolves.toMatchObject({
      filter: { id: ['x'] },
    })
    await expect(create(ids)).rejects.toMatchObject({ problem: { errors: [{ pointer: '/filter/id/1/prefix' }] } })
  })

  it.each([
    ['an operator that is none', { data: { amount: [{ over: 1 }] } }, ['/filter/data/amount/0/over']],
    ['a field that events have not', { amount: { x: [1] } }, ['/filter/amount']],
    ['a number that loses digits', { data: { n: [raw('12345678901234567890')] } }, ['/filter/data/n/0']],
    ['no object', [1], ['/filter']],
    [
      'too many combinations',
      { data: { $or: Array.from({ length: 65 }, (_, i) => ({ a: [i] })) } },
      ['/filter/data/$or'],
    ],
  ])('is refused with the place of %s', async (_, bad, where) => {
    const answer = await registry.call('POST', '/v1/webhooks', { ...GOOD, filter: bad })
    expect(answer).toMatchObject({ status: 400, json: { code: 'request_invalid' } })
    expect(pointers(answer)).toEqual(where)
  })
})

describe('POST /v1/filters/test', () => {
  const test = (pattern: unknown, event: unknown) => registry.call('POST', '/v1/filters/test', { pattern, event })

  it('says whether any JSON object fits a pattern, and why not', async () => {
    const pattern = { detail: { state: ['running'], count: [{ numeric: ['>', 0] }] } }
    expect(await test(pattern, { detail: { state: 'running', count: 1 } })).toMatchObject({
      status: 200,
      json: { matches: true, why: [] },
    })
    expect((await test(pattern, { detail: { state: 'stopped' } })).json).toEqual({
      matches: false,
      why: [
        { pointer: '/detail/state', message: 'no wanted value fits "stopped"' },
        { pointer: '/detail/count', message: 'the event has no value here' },
      ],
    })
  })

  it('sees every digit, and every member', async () => {
    const pattern = { n: [{ numeric: ['>', 0] }] }
    expect((await test(pattern, { n: raw('12345678901234567890') })).json.matches).toBe(false)
    expect((await test({ constructor: [1], toString: [2] }, { constructor: 1, toString: 2 })).json.matches).toBe(true)
    expect((await test({ a: [{ exists: true }] }, { a: { constructor: 1 } })).json.matches).toBe(false)
  })

  it.each([
    [{ pattern: { a: 'x' }, event: {} }, ['/pattern/a']],
    [{ pattern: { a: ['x'] }, event: [] }, ['/event']],
    [{ pattern: { a: ['x'] } }, ['/event']],
    [{ filter: { a: ['x'] }, event: {} }, ['/filter', '/pattern']],
  ])('refuses %j', async (body, where) => {
    const answer = await registry.call('POST', '/v1/filters/test', body)
    expect(answer.status).toBe(400)
    expect(pointers(answer).sort()).toEqual(where)
  })
})

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { HistoryPartitions, HistoryWriter, openHistoryPool, type HistoryEntry } from '@posthorn/store'
import { deliveryId } from '@posthorn/webhook'
import { TestRegistry, type Answer, type RpcFailure } from './test-registry.js'

const UNKNOWN = `delivery_${'0'.repeat(26)}`
let registry: TestRegistry
let webhook: string
let delivery: string

beforeAll(async () => {
  registry = await TestRegistry.start()
  webhook = (await registry.call('POST', '/v1/webhooks', { url: 'https://example.com/', events: ['*'] })).json.id
  delivery = await recorded()
}, 60_000)
afterAll(() => registry.stop())

/** A delivery that is in the history. */
async function recorded(): Promise<string> {
  const at = Date.now()
  const event = {
    tenant: 'default',
    id: 'e1',
    source: '/tests',
    type: 'agent.created',
    time: new Date(at).toISOString(),
    contenttype: 'application/json',
  }
  const id = deliveryId(event, webhook)
  const named = { id, webhook, webhookVersion: 1, tenant: 'default', run: '0', attempt: 1, due: 0, spills: 0 }
  const entry: HistoryEntry = {
    kind: 'delivery',
    delivery: { ...named, acceptedAt: at, origin: { partition: 0, offset: 0 }, event },
  }
  const pool = openHistoryPool(registry.database.url, { max: 2, name: 'test', onError: () => undefined })
  const writer = new HistoryWriter(pool, new HistoryPartitions(pool, 14), 'test')
  await writer.write([{ topic: 't', partition: 0, offset: 0, timestamp: at, entry }], at)
  await pool.end()
  return id
}

const create = (body: object) => registry.call('POST', '/v1/replays', body)

describe('replays', () => {
  it('are made, listed, changed, paused, resumed and cancelled', async () => {
    const made = await create({ deliveries: [delivery] })
    expect([made.status, made.headers.get('location')]).toEqual([201, `/v1/replays/${made.json.id}`])
    const untouched = { total: null, examined: 0, matched: 0, sent: 0, skipped: 0, failure: null, finished_at: null }
    expect(made.json).toMatchObject({
      ...untouched,
      status: 'queued',
      deliveries: [delivery],
      source: null,
      webhook: null,
      dry_run: false,
      rate: 100,
    })
    const path = `/v1/replays/${made.json.id}`
    expect((await registry.call('GET', path)).json).toEqual(made.json)
    expect((await registry.call('PATCH', path, { rate: 7 })).json).toMatchObject({ rate: 7, status: 'queued' })
    expect((await registry.call('POST', `${path}/pause`)).json).toMatchObject({ status: 'paused', rate: 7 })
    expect((await registry.call('POST', `${path}/resume`)).json).toMatchObject({ status: 'queued' })
    const cancelled = await registry.call('POST', `${path}/cancel`)
    expect(cancelled.json).toMatchObject({ status: 'cancelled', finished_at: cancelled.json.updated_at })
    for (const [method, at] of [
      ['POST', `${path}/resume`],
      ['POST', `${path}/cancel`],
    ] as const) {
      const { status, json } = await registry.call(method, at)
      expect([status, json.code]).toEqual([409, 'replay_ended'])
    }
    const { data } = (await registry.call('GET', '/v1/replays?status=cancelled')).json
    expect(data.map(({ id }) => id)).toEqual([made.json.id])
    expect((await registry.call('GET', '/v1/replays?status=queued')).json.data).toEqual([])
    const trail = (await registry.call('GET', `/v1/audit?subject=${made.json.id}`)).json.data
    expect(trail.map(({ action }) => action)).toEqual([
      'replay.cancelled',
      'replay.resumed',
      'replay.paused',
      'replay.updated',
      'replay.created',
    ])
  })

  it('of the history and of the log say what they choose', async () => {
    const from = new Date(Date.now() - 1000).toISOString()
    const history = await create({ webhook, event_type: 'agent.*', from, dry_run: true, rate: 5 })
    expect(history.json).toMatchObject({
      source: 'history',
      webhook,
      event_type: 'agent.*',
      delivery_status: ['exhausted', 'expired', 'gone', 'discarded'],
      from,
      dry_run: true,
      rate: 5,
    })
    const log = await create({ source: 'log', webhook, from })
    expect(log.json).toMatchObject({ source: 'log', webhook, from, delivery_status: null })
    expect(Date.parse(log.json.to as string)).toBeGreaterThan(Date.parse(from))
  })

  it('are refused where nothing could come of them, with the field at fault', async () => {
    const codes = async (body: object) => {
      const { status, json } = await create(body)
      return [status, json.code]
    }
    const unknown = await create({ deliveries: [delivery, UNKNOWN] })
    expect([unknown.status, unknown.json.code, unknown.json.errors]).toEqual([
      404,
      'delivery_not_found',
      [{ pointer: '/deliveries/1', detail: `is not in the history: ${UNKNOWN}` }],
    ])
    expect(await codes({ webhook: `webhook_${'0'.repeat(26)}` })).toEqual([404, 'webhook_not_found'])
    expect(await codes({})).toEqual([400, 'request_invalid'])
    const other = (await registry.call('POST', '/v1/webhooks', { url: 'https://example.com/', events: ['*'] })).json.id
    await registry.call('POST', `/v1/webhooks/${other}/disable`)
    expect(await codes({ webhook: other })).toEqual([409, 'webhook_disabled'])
    for (const id of ['x', `replay_${'0'.repeat(26)}`, '%00'])
      expect((await registry.call('GET', `/v1/replays/${id}`)).json.code).toBe('replay_not_found')
  })

  it('belong to their tenant alone, and only its admins make them', async () => {
    const { id } = (await create({ deliveries: [delivery] })).json
    await registry.call('POST', '/v1/tenants', { id: 'acme' })
    const headers = { 'posthorn-tenant': 'acme' }
    const foreign = await registry.call('GET', `/v1/replays/${id}`, undefined, { headers })
    expect([foreign.status, foreign.json.code]).toEqual([404, 'replay_not_found'])
    const stolen = await registry.call('POST', '/v1/replays', { deliveries: [delivery] }, { headers })
    expect([stolen.status, stolen.json.code]).toEqual([404, 'delivery_not_found'])
    const hidden = await registry.call('POST', '/v1/replays', { webhook }, { headers })
    expect([hidden.status, hidden.json.code]).toEqual([404, 'webhook_not_found'])
    const made = await registry.call('POST', '/v1/keys', { name: 'r', roles: ['read'] })
    const key = made.json.key as string
    expect((await registry.call('GET', `/v1/replays/${id}`, undefined, { key })).status).toBe(200)
    expect((await registry.call('POST', `/v1/replays/${id}/cancel`, undefined, { key })).json.code).toBe('role_missing')
  })

  it('are at most 100 that are not finished, also when many come at once', async () => {
    const headers = { 'posthorn-tenant': 'many' }
    await registry.call('POST', '/v1/tenants', { id: 'many' })
    const from = new Date(Date.now() - 60_000).toISOString()
    const insist = async (): Promise<Answer> => {
      const answer = await registry.call('POST', '/v1/replays', { from }, { headers })
      // So many at once may be more than a busy machine takes in its time.
      return answer.status === 503 ? insist() : answer
    }
    const all = await Promise.all(Array.from({ length: 104 }, insist))
    const refused = all.filter(({ status }) => status !== 201)
    expect(refused.map(({ status, json }) => [status, json.code])).toEqual(Array(4).fill([409, 'quota_reached']))
  })

  it('are the same over gRPC', async () => {
    const made = (await registry.rpc('ReplayService/CreateReplay', {
      replay: { deliveries: [delivery], rate: 3 },
    })) as { id: string }
    const { json } = await registry.call('GET', `/v1/replays/${made.id}`)
    expect(made).toMatchObject({ id: json.id, status: 'queued', deliveries: [delivery], rate: 3, sent: 0 })
    const id = { id: made.id }
    expect(await registry.rpc('ReplayService/UpdateReplay', { ...id, rate: 4 })).toMatchObject({ rate: 4 })
    expect(await registry.rpc('ReplayService/PauseReplay', id)).toMatchObject({ status: 'paused' })
    expect(await registry.rpc('ReplayService/ResumeReplay', id)).toMatchObject({ status: 'queued' })
    expect(await registry.rpc('ReplayService/CancelReplay', id)).toMatchObject({ status: 'cancelled' })
    expect(await registry.rpc('ReplayService/GetReplay', id)).toMatchObject({ ...id, status: 'cancelled' })
    const { data } = (await registry.rpc('ReplayService/ListReplays', { status: 'cancelled' })) as { data: object[] }
    expect(data[0]).toMatchObject(id)
    const fault = (await registry.rpc('ReplayService/CreateReplay', { replay: {} }).catch(error => error)) as RpcFailure
    expect(fault.code).toBe('request_invalid')
  })
})

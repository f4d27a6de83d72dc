import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { answerOf, createApiClient, type ApiClient, type ApiSchemas } from '@posthorn/api/client'
import { startReceiver, startStack, until, type Receiver, type Stack } from '@posthorn/testkit'

const WAIT_MS = 90_000
const RULES = ['platform_success_rate', 'tenant_success_rate', 'webhook_success_rate']
let stack: Stack
let api: ApiClient
let ingest: ApiClient
let shop: Receiver
let team: Receiver
let shopAnswers = 500

beforeAll(async () => {
  shop = await startReceiver(() => ({ status: shopAnswers }))
  team = await startReceiver()
  stack = await startStack()
  api = createApiClient({ url: stack.api, key: stack.key })
  ingest = createApiClient({ url: stack.publish, key: stack.key })
}, 120_000)
afterAll(async () => {
  await stack?.stop()
  await Promise.all([shop.close(), team.close()])
}, 60_000)

const register = async (url: string, type: string) =>
  (await answerOf(api.POST('/v1/webhooks', { body: { url, events: [type], retry_policy: { attempts: 1 } } }))).id

let sent = 0
async function publish(count: number): Promise<void> {
  const body = Array.from({ length: count }, () => ({ id: `e${++sent}`, type: 'agent.created', data: {} }))
  await answerOf(ingest.POST('/v1/publish', { body: body as never }))
}

interface Told {
  readonly type: string
  readonly data: { readonly alert: string; readonly rule: string; readonly webhook?: string; readonly by?: string }
}
const told = (type: string): Told[] =>
  team.requests.map(({ body }) => JSON.parse(body.toString()) as Told).filter(event => event.type === type)
const alerts = async (status: 'firing' | 'resolved'): Promise<readonly ApiSchemas['AlertView'][]> =>
  (await answerOf(api.GET('/v1/alerts', { params: { query: { status, scope: 'all' } } }))).data

describe('alerts', () => {
  it('S14 tell the team of a webhook that fails, and that it works again, by signed events that are listed', async () => {
    await register(`${team.url}/team`, 'posthorn.alert.*')
    const webhook = await register(`${shop.url}/shop`, 'agent.created')
    await publish(30)
    await until(() => told('posthorn.alert.firing').length >= 3, WAIT_MS)
    const fired = told('posthorn.alert.firing')
    expect(fired.map(({ data }) => data.rule).sort()).toEqual(RULES)
    const one = fired.find(({ data }) => data.rule === 'webhook_success_rate')!
    expect(one.data).toMatchObject({ severity: 'warning', tenant: 'default', webhook, delivered: 0, success_rate: 0.9 })
    expect(String(team.requests[0]!.headers['webhook-signature'])).toMatch(/^v1,/)
    const listed = await alerts('firing')
    expect(listed.map(({ rule }) => rule).sort()).toEqual(RULES)
    expect(listed.find(({ id }) => id === one.data.alert)).toMatchObject({ webhook, delivered: 0, resolved_at: null })

    shopAnswers = 200
    await publish(900)
    await until(() => told('posthorn.alert.resolved').length >= 3, WAIT_MS)
    const ended = told('posthorn.alert.resolved')
    expect(ended.map(({ data }) => [data.rule, data.by]).sort()).toEqual(RULES.map(rule => [rule, 'recovered']))
    expect(ended.map(({ data }) => data.alert).sort()).toEqual(fired.map(({ data }) => data.alert).sort())
    expect(await alerts('firing')).toEqual([])
    expect((await alerts('resolved')).map(({ resolved_by }) => resolved_by)).toEqual(Array(3).fill('recovered'))
    expect(told('posthorn.alert.firing')).toHaveLength(3)
  }, 240_000)
})

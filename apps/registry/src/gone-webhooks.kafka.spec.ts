import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { KafkaConnection, kafkaOptionsFrom, SafeProducer, TableFollower } from '@posthorn/kafka'
import { createLogger } from '@posthorn/telemetry'
import { until } from '@posthorn/testkit'
import { decodeWebhook, encodeGone, WEBHOOK_STATE, WEBHOOKS } from '@posthorn/topics'
import type { Webhook } from '@posthorn/webhook'
import { TestRegistry } from './test-registry.js'

const WAIT_MS = 30_000
let registry: TestRegistry
let producer: SafeProducer
let webhooks: TableFollower<Webhook>

beforeAll(async () => {
  registry = await TestRegistry.start()
  const logger = createLogger('silent', 'test')
  const connection = new KafkaConnection(kafkaOptionsFrom(registry.settings, logger, 'gone-test'))
  producer = new SafeProducer(connection)
  webhooks = new TableFollower(connection, {
    topic: WEBHOOKS,
    decode: decodeWebhook,
    fatal: error => {
      throw error
    },
  })
  await Promise.all([producer.connect(), webhooks.start()])
}, 60_000)
afterAll(async () => {
  await Promise.all([producer.close(), webhooks.stop()])
  await registry.stop()
}, 30_000)

const create = async () =>
  (await registry.call('POST', '/v1/webhooks', { url: 'https://example.com/hook', events: ['*'] })).json.id
const read = async (id: string) => (await registry.call('GET', `/v1/webhooks/${id}`)).json
const say = (webhook: string, version: number) =>
  producer.send(
    WEBHOOK_STATE,
    encodeGone({ webhook, tenant: 'default', version, delivery: 'delivery_9', at: '2026-11-24T12:00:00.000Z' }),
  )

describe('S9 a webhook that answered 410', () => {
  test('is disabled, which the audit and the topic say', async () => {
    const id = await create()
    await say(id, 1)
    await until(async () => (await read(id)).status === 'disabled', WAIT_MS)
    expect(await webhooks.waitFor(id, 2, WAIT_MS)).toBe(true)
    expect(webhooks.get(id)).toMatchObject({ status: 'disabled', version: 2 })
    const audit = await registry.call('GET', `/v1/audit?subject=${id}&action=webhook.gone`)
    expect(audit.json.data).toMatchObject([
      { key: 'posthorn', request_id: 'delivery_9', before: { status: 'active' }, after: { status: 'disabled' } },
    ])
  })

  test('stays as it is when it was changed after that answer, or is not there', async () => {
    const [changed, last] = [await create(), await create()]
    await registry.call('PATCH', `/v1/webhooks/${changed}`, { url: 'https://example.com/new' })
    await say(changed, 1)
    await say('webhook_00000000000000000000000000', 1)
    await producer.send(WEBHOOK_STATE, { key: Buffer.from('rubbish'), value: Buffer.from('{') })
    await say(last, 1)
    await until(async () => (await read(last)).status === 'disabled', WAIT_MS)
    expect(await read(changed)).toMatchObject({ status: 'active', version: 2 })
  })

  test('that was enabled again is not disabled by the old answer', async () => {
    const id = await create()
    await say(id, 1)
    await until(async () => (await read(id)).status === 'disabled', WAIT_MS)
    await registry.call('POST', `/v1/webhooks/${id}/enable`)
    await say(id, 1)
    const last = await create()
    await say(last, 1)
    await until(async () => (await read(last)).status === 'disabled', WAIT_MS)
    expect(await read(id)).toMatchObject({ status: 'active', version: 3 })
  })
})

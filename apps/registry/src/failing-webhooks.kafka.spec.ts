import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { KafkaConnection, kafkaOptionsFrom, SafeProducer } from '@posthorn/kafka'
import { createLogger } from '@posthorn/telemetry'
import { queryDatabase, until } from '@posthorn/testkit'
import { encodeHealth, WEBHOOK_STATE, type WebhookHealth } from '@posthorn/topics'
import { TestRegistry } from './test-registry.js'

const WAIT_MS = 30_000
const FIVE_DAYS_MS = 432_000_000
let registry: TestRegistry
let producer: SafeProducer
let version = 0

beforeAll(async () => {
  registry = await TestRegistry.start()
  const logger = createLogger('silent', 'test')
  producer = new SafeProducer(new KafkaConnection(kafkaOptionsFrom(registry.settings, logger, 'failing-test')))
  await producer.connect()
}, 60_000)
afterAll(async () => {
  await producer.close()
  await registry.stop()
}, 30_000)

const create = async (body: object = {}) => {
  const given = { url: 'https://user.example/path-7f1c?key=query-9a0d', events: ['*'], ...body }
  return (await registry.call('POST', '/v1/webhooks', given)).json.id
}
const read = async (id: string) => (await registry.call('GET', `/v1/webhooks/${id}`)).json
const isDisabled = (id: string) => until(async () => (await read(id)).status === 'disabled', WAIT_MS)

/** As the monitor says it: by default it has failed since now, for five days that count. */
function say(webhook: string, health: Partial<WebhookHealth> = {}): Promise<unknown> {
  const said = { health: 'due', failingSince: Date.now(), failures: 9, countedMs: FIVE_DAYS_MS } as const
  return producer.send(
    WEBHOOK_STATE,
    encodeHealth({ webhook, tenant: 'default', version: ++version, ...said, ...health }),
  )
}

/** On their way to the topic: no monitor runs here, which would bring them there. */
const ownEvents = (webhook: string) =>
  queryDatabase<{ type: string; tenant: string; data: object }>(
    registry.database.url,
    'SELECT type, tenant, data FROM own_events WHERE webhook = $1 ORDER BY raised_at',
    [webhook],
  )

/** The facets are acted on in their order: once this one is, those before it were looked at. */
async function lookedAt(): Promise<void> {
  const last = await create()
  await say(last)
  await isDisabled(last)
}

describe('a webhook that has done nothing but fail', () => {
  test('is disabled once, which the API, the audit and an event of our own say', async () => {
    const id = await create()
    const failingSince = Date.now()
    await say(id, { failingSince })
    await isDisabled(id)
    const reason = { rule: 'failing', failing_since: new Date(failingSince).toISOString() }
    expect(await read(id)).toMatchObject({ version: 2, disabled_reason: reason })
    await say(id, { failingSince })
    await lookedAt()
    const audit = await registry.call('GET', `/v1/audit?subject=${id}&action=webhook.failing`)
    expect(audit.json.data).toMatchObject([
      { key: 'posthorn', before: { status: 'active' }, after: { status: 'disabled', disabled_reason: reason } },
    ])
    const raised = await ownEvents(id)
    expect(raised).toMatchObject([
      {
        type: 'posthorn.webhook.disabled',
        tenant: 'default',
        data: { webhook: id, url: 'https://user.example', failures: 9, failed_seconds: 432_000 },
      },
    ])
    expect(JSON.stringify(raised)).not.toMatch(/path-7f1c|query-9a0d/)
  })

  test('stays as it is when it was enabled since then, and the tenant hears of that', async () => {
    const id = await create()
    const failingSince = Date.now()
    await say(id, { failingSince })
    await isDisabled(id)
    await registry.call('POST', `/v1/webhooks/${id}/enable`)
    await say(id, { failingSince })
    await lookedAt()
    expect(await read(id)).toMatchObject({ status: 'active', version: 3, disabled_reason: null })
    const types = (await ownEvents(id)).map(({ type }) => type)
    expect(types).toEqual(['posthorn.webhook.disabled', 'posthorn.webhook.recovered'])
  })

  test('stays as it is with another URL, with more time, with none, warned of alone, or not there', async () => {
    const [moved, patient, never, warned] = await Promise.all([
      create(),
      create({ disable_after_seconds: 432_001 }),
      create({ disable_after_seconds: 0 }),
      create(),
    ])
    const failingSince = Date.now()
    await registry.call('PATCH', `/v1/webhooks/${moved}`, { url: 'https://user.example/new' })
    for (const id of [moved, patient, never, 'webhook_00000000000000000000000000']) await say(id, { failingSince })
    await say(warned, { health: 'failing' })
    await lookedAt()
    for (const id of [moved, patient, never, warned]) expect(await read(id)).toMatchObject({ status: 'active' })
  })
})

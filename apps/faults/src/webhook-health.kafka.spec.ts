import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { answerOf, createApiClient, type ApiClient } from '@posthorn/api/client'
import { startReceiver, startStack, until, type Receiver, type Stack } from '@posthorn/testkit'
import { verify } from '@posthorn/verify'

const WAIT_MS = 120_000
/** So long it is seen as degraded, too, where this process gets no turn for some seconds. */
const DISABLE_AFTER_S = 20
/** Of nothing but a failure every other second, for longer than that and the time to notice it: no circuit opens by then. */
const RETRIES = { attempts: 100, interval_ms: 1500, factor: 1, jitter: 0, timeout_ms: 60_000 }
/** What is told twice comes within this: the monitor publishes once a second. */
const NOTHING_COMES_MS = 3_000

let stack: Stack
let api: ApiClient
let receiver: Receiver
let isWell = false

beforeAll(async () => {
  receiver = await startReceiver(({ path }) => ({ status: path === '/ill' && !isWell ? 500 : 200 }))
  stack = await startStack({ POSTHORN_WEBHOOK_DISABLE_AFTER_SECONDS: String(DISABLE_AFTER_S) })
  api = createApiClient({ url: stack.api, key: stack.key })
}, 120_000)
afterAll(async () => {
  await stack?.stop()
  await receiver.close()
}, 60_000)

async function register(path: string, events: string[]) {
  const body = { url: receiver.url + path, events, retry_policy: RETRIES }
  return answerOf(api.POST('/v1/webhooks', { body }))
}

const read = (id: string) => answerOf(api.GET('/v1/webhooks/{id}', { params: { path: { id } } }))

async function publish(id: string): Promise<void> {
  const ingest = createApiClient({ url: stack.publish, key: stack.key })
  const event = { id, source: '/health', type: 'health.checked', data: {} }
  await answerOf(ingest.POST('/v1/publish', { body: event }))
}

/** What the watcher has been told, each told with a signature that fits. */
function told(secret: string) {
  const requests = receiver.requests.filter(({ path }) => path === '/watch')
  return requests.map(({ headers, body }) => {
    const { type, payload } = verify({ headers, body, secrets: secret })
    return { type, data: (payload as { data: Record<string, unknown> }).data }
  })
}

it('warns of, disables and recovers a failing webhook, and tells each once although its monitor is killed between', async () => {
  const [watcher, ill] = await Promise.all([
    register('/watch', ['posthorn.webhook.*']),
    register('/ill', ['health.checked']),
  ])
  const untilTold = (count: number) =>
    until(
      () => told(watcher.secret).length >= count,
      WAIT_MS,
      () => `told: ${JSON.stringify(told(watcher.secret))}`,
    )
  const failing = { type: 'posthorn.webhook.failing', data: expect.objectContaining({ webhook: ill.id }) }
  const disabled = {
    type: 'posthorn.webhook.disabled',
    data: expect.objectContaining({ webhook: ill.id, rule: 'failing', disable_after_seconds: DISABLE_AFTER_S }),
  }
  expect(ill).toMatchObject({ health: 'healthy', failing_since: null })
  await publish('a')
  await until(async () => (await read(ill.id)).health === 'degraded', WAIT_MS)
  await untilTold(1)
  process.kill(stack.currentPids().monitor!, 'SIGKILL')
  await untilTold(2)
  const { failing_since: since, ...shown } = await read(ill.id)
  const reason = { rule: 'failing', failing_since: since }
  expect(shown).toMatchObject({ status: 'disabled', health: 'failing', disabled_reason: reason })
  await sleep(NOTHING_COMES_MS)
  expect(told(watcher.secret)).toEqual([failing, disabled])

  isWell = true
  const taken = () => receiver.requests.filter(({ path }) => path === '/ill').length
  const before = taken()
  await answerOf(api.POST('/v1/webhooks/{id}/enable', { params: { path: { id: ill.id } } }))
  await publish('b')
  await until(() => taken() > before, WAIT_MS)
  await untilTold(3)
  await sleep(NOTHING_COMES_MS)
  const recovered = { type: 'posthorn.webhook.recovered', data: expect.objectContaining({ webhook: ill.id }) }
  expect(told(watcher.secret)).toEqual([failing, disabled, recovered])
  expect(await read(ill.id)).toMatchObject({ status: 'active', health: 'healthy', disabled_reason: null })
}, 240_000)

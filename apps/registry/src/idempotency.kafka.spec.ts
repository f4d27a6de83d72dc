import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openHistoryPool } from '@posthorn/store'
import { TestRegistry, type CallOptions } from './test-registry.js'

/*
 * What is committed is not done twice, though its answer was lost: here the database refuses to keep answers,
 * as if the process had been killed between the commit and the answer.
 */

let registry: TestRegistry
let pool: ReturnType<typeof openHistoryPool>
beforeAll(async () => {
  registry = await TestRegistry.start()
  pool = openHistoryPool(registry.database.url, { max: 1, name: 'test', onError: () => undefined })
  await pool.query('ALTER TABLE idempotency ADD CONSTRAINT loses CHECK (sealed_answer IS NULL)')
}, 60_000)
afterAll(async () => {
  await pool.end()
  await registry.stop()
}, 30_000)

const minuteLater = () => pool.query(`UPDATE idempotency SET started_at = started_at - interval '61 seconds'`)
const withKey = (key: string): CallOptions => ({ headers: { 'idempotency-key': key } })
const HOOK = { url: 'https://example.com/hook', events: ['*'] }

test('a webhook is made once, by REST', async () => {
  const post = () => registry.call('POST', '/v1/webhooks', HOOK, withKey('rest'))
  expect((await post()).status).toBe(201)
  expect(await post()).toMatchObject({ status: 409, json: { code: 'idempotency_running' } })
  await minuteLater()
  expect(await post()).toMatchObject({ status: 409, json: { code: 'idempotency_answer_lost' } })
  expect((await registry.call('GET', '/v1/webhooks')).json.data).toHaveLength(1)
})

test('a key is rotated once, by gRPC', async () => {
  const { json } = await registry.call('POST', '/v1/keys', { name: 'k', roles: ['read'] })
  const rotate = () => registry.rpc('KeyService/RotateKey', { id: json.id }, withKey('grpc'))
  const { key } = (await rotate()) as { key: string }
  await minuteLater()
  await expect(rotate()).rejects.toMatchObject({ grpc: 9, code: 'idempotency_answer_lost' })
  expect((await registry.call('GET', '/v1/webhooks', undefined, { key })).status).toBe(200)
})

test('what changed nothing runs again', async () => {
  const body = { pattern: { a: ['x'] }, event: { a: 'x' } }
  const post = () => registry.call('POST', '/v1/filters/test', body, withKey('test'))
  expect((await post()).status).toBe(200)
  await minuteLater()
  expect((await post()).status).toBe(200)
})

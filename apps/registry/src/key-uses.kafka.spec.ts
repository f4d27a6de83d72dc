import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { KafkaConnection, kafkaOptionsFrom, SafeProducer, TableFollower } from '@posthorn/kafka'
import { createLogger } from '@posthorn/telemetry'
import { queryDatabase, until } from '@posthorn/testkit'
import { decodeKeyUse, encodeKeyUse, KEY_USES, keyUse, type KeyUse } from '@posthorn/topics'
import { TestRegistry } from './test-registry.js'

const WAIT_MS = 30_000
const changes: string[] = []
let registry: TestRegistry
let producer: SafeProducer
let uses: TableFollower<KeyUse>

beforeAll(async () => {
  registry = await TestRegistry.start()
  const logger = createLogger('silent', 'test')
  const connection = new KafkaConnection(kafkaOptionsFrom(registry.settings, logger, 'key-uses-test'))
  producer = new SafeProducer(connection)
  const fatal = (error: Error): never => {
    throw error
  }
  const onChange = (id: string, use: KeyUse | undefined) => changes.push(`${id} ${use ? 'used' : 'forgotten'}`)
  uses = new TableFollower(connection, { topic: KEY_USES, decode: decodeKeyUse, fatal, onChange })
  await Promise.all([producer.connect(), uses.start()])
}, 60_000)
afterAll(async () => {
  await Promise.all([producer.close(), uses.stop()])
  await registry.stop()
}, 30_000)

const create = async () => (await registry.call('POST', '/v1/keys', { name: 'shop', roles: ['publish'] })).json.id
const lastUse = async (id: string) => (await registry.call('GET', `/v1/keys/${id}`)).json.last_used_at
const tell = (id: string, time: string) => producer.send(KEY_USES, encodeKeyUse(keyUse(id, Date.parse(time))))

describe('S7 the last use of a key that publishes', () => {
  test('is shown to the minute, an earlier one never over a later one', async () => {
    const [id, last] = [await create(), await create()]
    expect(await lastUse(id)).toBeNull()
    await tell(id, '2026-11-24T12:34:56Z')
    await until(async () => (await lastUse(id)) === '2026-11-24T12:34:00.000Z', WAIT_MS)
    await tell(id, '2026-11-24T12:33:00Z')
    await producer.send(KEY_USES, { key: Buffer.from('rubbish'), value: Buffer.from('{') })
    await tell(last, '2026-11-24T12:00:00Z')
    await until(async () => (await lastUse(last)) !== null, WAIT_MS)
    expect(await lastUse(id)).toBe('2026-11-24T12:34:00.000Z')
    expect(await registry.rpc('KeyService/GetKey', { id })).toMatchObject({ last_used_at: '2026-11-24T12:34:00.000Z' })
  })

  test('of a key that is no more is forgotten', async () => {
    const id = 'key_00000000000000000000000000'
    await tell(id, '2026-11-24T12:00:00Z')
    await until(() => changes.includes(`${id} forgotten`), WAIT_MS)
    expect(changes.filter(change => change.startsWith(id))).toEqual([`${id} used`, `${id} forgotten`])
  })

  test('waits while the database does not take it', async () => {
    const id = await create()
    await queryDatabase(registry.database.url, 'ALTER TABLE keys RENAME TO keys_away')
    await tell(id, '2026-11-24T12:00:00Z')
    await until(() => changes.includes(`${id} used`), WAIT_MS)
    await queryDatabase(registry.database.url, 'ALTER TABLE keys_away RENAME TO keys')
    await until(async () => (await lastUse(id)) === '2026-11-24T12:00:00.000Z', 2 * WAIT_MS)
  }, 40_000)
})

import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, SafeProducer } from '@posthorn/kafka'
import { readSettings } from '@posthorn/process'
import { HistoryPartitions, HistoryWriter, migrate, openHistoryPool, type SqlPool } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, testBrokers, type TestDatabase } from '@posthorn/testkit'
import { DEAD_LETTERS, encodeDeadLetter, type Attempt } from '@posthorn/topics'
import type { Delivery } from '@posthorn/webhook'
import { runCommand } from './run-command.js'

const NOW = Date.now()
const DAY_MS = 24 * 3600_000
let database: TestDatabase
let pool: SqlPool
let producer: SafeProducer
let topic: string
let env: Record<string, string>

beforeAll(async () => {
  const logger = createLogger('silent', 'test')
  database = await createTestDatabase()
  await migrate(database.url, logger)
  env = {
    POSTHORN_KAFKA_BROKERS: testBrokers().join(),
    POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
    POSTHORN_KAFKA_PARTITIONS: '1',
    POSTHORN_DATABASE_URL: database.url,
  }
  const connection = new KafkaConnection(kafkaOptionsFrom(readSettings(env), logger, 'check-test'))
  env.POSTHORN_EMBEDDED_DIR = join(tmpdir(), 'no-posthorn-here')
  await createTopics(connection, await planTopics(connection))
  topic = connection.topic(DEAD_LETTERS)
  producer = new SafeProducer(connection)
  await producer.connect()
  pool = openHistoryPool(database.url, { max: 1, name: 'test', onError: () => undefined })
}, 60_000)

afterAll(async () => {
  await producer.close()
  await pool.end()
  await database.drop()
}, 30_000)

function deadLetter(name: string, more: Partial<Attempt> = {}): { delivery: Delivery; attempt: Attempt } {
  const event = { tenant: 'default', id: name, source: '/s', type: 'a.b', time: new Date(NOW).toISOString() }
  const accepted_at = more.accepted_at ?? new Date(NOW - 60_000).toISOString()
  const named = { delivery: `delivery_${name}`, run: '0', attempt: 5, webhook: 'webhook_1', tenant: 'default' }
  const times = { accepted_at, due_at: accepted_at, started_at: accepted_at, finished_at: accepted_at, duration_ms: 1 }
  const attempt: Attempt = { ...named, ...times, webhook_version: 1, event, outcome: 'exhausted', ...more }
  const delivery: Delivery = {
    ...named,
    id: named.delivery,
    webhookVersion: 1,
    due: 0,
    acceptedAt: Date.parse(accepted_at),
    origin: { partition: 0, offset: 0 },
    spills: 0,
    event: { ...event, contenttype: 'text/plain' },
  }
  return { delivery, attempt }
}

/** As the deliverer does; resolves with the offset. */
async function logged(name: string, more: Partial<Attempt> = {}): Promise<number> {
  const { delivery, attempt } = deadLetter(name, more)
  return (await producer.send(DEAD_LETTERS, encodeDeadLetter(delivery, attempt, Buffer.from('1')))).offset
}

/** As the monitor does with the record at an offset. */
async function kept(name: string, offset: number, more: Partial<Attempt> = {}): Promise<void> {
  const entry = { kind: 'dead-letter', attempt: deadLetter(name, more).attempt } as const
  await new HistoryWriter(pool, new HistoryPartitions(pool, 14), `${env.POSTHORN_KAFKA_PREFIX}monitor`).write(
    [{ topic, partition: 0, offset, timestamp: NOW, entry }],
    NOW,
  )
}

async function check() {
  const [out, err]: [string[], string[]] = [[], []]
  const stop = new AbortController().signal
  const terminal = { stop, env, print: (text: string) => out.push(text), say: (line: string) => err.push(line) }
  const status = await runCommand(['dead-letters', 'check', '--json'], terminal)
  const answer = JSON.parse(out.join('\n')) as Record<string, unknown>
  return { status, answer, said: err.join('\n') }
}

describe('posthorn dead-letters check', () => {
  test('finds no difference where there is none, and counts what the monitor has still to read', async () => {
    await kept('one', await logged('one'))
    await logged('not-yet')
    expect(await check()).toMatchObject({ status: 0, answer: { data: [], agree: 1, behind: 1, forgotten: 0 } })
  })

  test('sees what the database lost, what the topic lost and what they tell differently', async () => {
    const old = new Date(NOW - 20 * DAY_MS).toISOString()
    await logged('lost')
    await logged('too-old', { accepted_at: old })
    await kept('two', await logged('two'))
    await kept('other', await logged('other'), { outcome: 'gone' })
    const end = await logged('last')
    await kept('nowhere', end)
    await kept('last', end + 1)
    const { status, answer, said } = await check()
    expect(status).toBe(1)
    expect(answer).toMatchObject({ agree: 3, behind: 0, forgotten: 1, unreadable: 0 })
    expect(answer.data).toMatchObject([
      { kind: 'not_in_database', delivery: 'delivery_not-yet', position: '0/1' },
      { kind: 'not_in_database', delivery: 'delivery_lost', position: '0/2' },
      { kind: 'other_outcome', delivery: 'delivery_other' },
      { kind: 'not_on_topic', delivery: 'delivery_nowhere', position: null },
    ])
    expect(said).toContain('not_on_topic: The topic lost it.')
  })

  test('says so when there is no database', async () => {
    const stop = new AbortController().signal
    const out: string[] = []
    const without = { ...env, POSTHORN_DATABASE_URL: '' }
    const terminal = { stop, env: without, print: () => undefined, say: (line: string) => out.push(line) }
    expect(await runCommand(['dead-letters', 'check'], terminal)).toBe(1)
    expect(out.join('\n')).toContain('POSTHORN_DATABASE_URL is not set')
  })
})

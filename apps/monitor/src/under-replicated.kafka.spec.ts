import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Egress, egressOptionsFrom } from '@posthorn/egress'
import { startKafkaCluster, type RunningKafkaCluster } from '@posthorn/embedded'
import { KafkaConnection, kafkaOptionsFrom, readUnderReplicated } from '@posthorn/kafka'
import { readSettings } from '@posthorn/process'
import { Sealer } from '@posthorn/sealing'
import { AlertKeeper, AlertNotifications, migrate, openHistoryPool, type SqlPool } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import {
  createTestDatabase,
  startMailbox,
  startReceiver,
  until,
  type Mailbox,
  type Receiver,
  type TestDatabase,
} from '@posthorn/testkit'
import { EVENTS } from '@posthorn/topics'
import { builtInRules, channelContext } from '@posthorn/webhook'
import { Notifier } from './notify.js'
import { ChatSender } from './send-chat.js'
import { MailSender } from './send-mail.js'
import { KafkaWatch } from './watch-kafka.js'

const CACHE = join(import.meta.dirname, '..', '..', '..', '.posthorn', 'cache')
const WAIT_MS = 60_000
const logger = createLogger('silent', 'test')
const sealer = new Sealer([`test:${Buffer.alloc(32, 1).toString('base64')}`])
const CHANNEL = {
  ...{ name: 'n', to: ['oncall@example.com'], host: null, enabled: true, groupSeconds: 0, repeatSeconds: null },
  ...{ sendResolved: true, rules: ['under_replicated'], severities: null, tenants: null, webhook: null },
}

describe('With a broker that is gone', () => {
  const dir = mkdtempSync(join(tmpdir(), 'under-replicated-'))
  let cluster: RunningKafkaCluster
  let connection: KafkaConnection
  let database: TestDatabase
  let pool: SqlPool
  let mailbox: Mailbox
  let chat: Receiver
  let egress: Egress
  let mail: MailSender

  beforeAll(async () => {
    cluster = await startKafkaCluster({ dir, cacheDir: CACHE, onProgress: () => undefined })
    const settings = readSettings({
      POSTHORN_KAFKA_BROKERS: cluster.brokers.join(),
      POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
    })
    connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'test'))
    await until(() => connection.withAdmin(async a => (await a.describeCluster()).brokers.length === 3), WAIT_MS)
    const topic = { topic: connection.topic(EVENTS), numPartitions: 2, replicationFactor: 3 }
    // kafkajs waits for leaders by asking any broker, and throws when that one has not heard of the topic.
    await connection.withAdmin(admin => admin.createTopics({ topics: [topic], waitForLeaders: false }))
    const known = () =>
      readUnderReplicated(connection, [EVENTS]).then(
        ({ size }) => size === 0,
        () => false,
      )
    await until(known, WAIT_MS)
    database = await createTestDatabase()
    await migrate(database.url, logger)
    pool = openHistoryPool(database.url, { max: 2, name: 'test', onError: () => undefined })
    ;[mailbox, chat] = [await startMailbox(), await startReceiver()]
    egress = Egress.from({ ...egressOptionsFrom(settings), sockets: 2, userAgent: 'test' })
    mail = new MailSender(mailbox.url, 'Posthorn <posthorn@example.com>')
    const sealed = sealer.seal(`${chat.url}/hook`, channelContext('channel_chat'))
    await pool.query(
      `insert into alert_settings (id, kind, version, definition, sealed, created_at, updated_at)
       values ('channel_mail', 'channel', 1, $1, null, now(), now()), ('channel_chat', 'channel', 1, $2, $3, now(), now())`,
      [JSON.stringify({ ...CHANNEL, type: 'email' }), JSON.stringify({ ...CHANNEL, type: 'slack', to: [] }), sealed],
    )
  }, 120_000)

  afterAll(async () => {
    mail?.close()
    await Promise.all([egress?.close(), mailbox?.close(), chat?.close(), pool?.end()])
    await database?.drop()
    connection?.close()
    await cluster?.stop()
    rmSync(dir, { recursive: true, force: true })
  }, 60_000)

  it('S14 under_replicated fires and ends, and says so to an e-mail server and a chat', async () => {
    const watch = new KafkaWatch({
      read: () => Promise.resolve([]),
      underReplicated: () => readUnderReplicated(connection, [EVENTS]),
      parked: () => new Map(),
      now: Date.now,
      everySeconds: 10,
      metrics: { found: () => undefined },
      logger,
    })
    const builtIn = builtInRules({ successRate: 0, windowSeconds: 60, rules: { under_replicated: { for_seconds: 1 } } })
    const keeper = new AlertKeeper(pool, { builtIn, platformTenant: 'default', keptDays: 14 })
    const chatSender = new ChatSender(egress, sealer)
    const notifier = new Notifier({
      notifications: new AlertNotifications(pool),
      send: { email: (one, text) => mail.send(one, text), slack: (one, text) => chatSender.send(one, text) },
      logger,
    })
    const look = async () => {
      await watch.look()
      const changes = await keeper.look(Date.now(), watch.readings())
      await notifier.round(Date.now())
      return changes.length > 0
    }
    expect(await look()).toBe(false)
    await cluster.kill(3)
    await until(look, WAIT_MS)
    expect(mailbox.mails.map(({ subject }) => subject)).toEqual(['[Posthorn] Firing: under_replicated'])
    expect(mailbox.mails[0]!.text).toContain('events.v1 have fewer replicas in sync')
    await cluster.restart(3)
    await until(look, WAIT_MS)
    expect(mailbox.mails.map(({ subject }) => subject)[1]).toBe('[Posthorn] Resolved: under_replicated')
    const texts = chat.requests.map(({ body }) => (JSON.parse(body.toString()) as { text: string }).text)
    expect(texts.map(text => text.split('\n')[0])).toEqual([
      '*[Posthorn] Firing: under_replicated*',
      '*[Posthorn] Resolved: under_replicated*',
    ])
  }, 120_000)
})

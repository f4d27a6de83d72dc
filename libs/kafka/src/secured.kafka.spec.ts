import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { freePorts, startKafka, type RunningKafka } from '@posthorn/embedded'
import { readSettings, type KafkaCompression } from '@posthorn/process'
import { createLogger } from '@posthorn/telemetry'
import { createAuthority, until, type IssuedCertificate } from '@posthorn/testkit'
import type { TopicContract } from '@posthorn/topics'
import kafkajs from 'kafkajs'
import { KafkaAccessRefused } from './access.js'
import { KafkaConnection, kafkaOptionsFrom } from './connection.js'
import { GroupConsumer } from './group-consumer.js'
import { SafeProducer } from './safe-producer.js'
import { TableFollower } from './table-follower.js'
import { makeTopics, TABLE, testConnection, WORK } from './test-cluster.js'
import { requireTopics } from './topic-setup.js'

const CACHE = join(import.meta.dirname, '..', '..', '..', '.posthorn', 'cache')
const PASSWORD = 'a pass=word'

describe('A Kafka that wants logins and certificates', () => {
  const dir = mkdtempSync(join(tmpdir(), 'secured-'))
  const authority = createAuthority('The CA')
  const stranger = createAuthority('Another CA')
  let ports: readonly number[]
  let kafka: RunningKafka
  /** Through the plain listener, where everything is allowed. */
  let open: KafkaConnection
  const connections: KafkaConnection[] = []

  beforeAll(async () => {
    ports = await freePorts(4)
    kafka = await start(PASSWORD)
    open = testConnection([kafka.brokers], 1)
    await makeTopics(open, WORK, TABLE)
    await allow('posthorn', 'CN=posthorn')
  }, 180_000)

  afterAll(async () => {
    for (const connection of [open, ...connections]) connection?.close()
    await kafka?.stop()
    rmSync(dir, { recursive: true, force: true })
  }, 30_000)

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])(
    'lets us in by %s, and everything works',
    async mechanism => roundTrip(connect(login(mechanism, PASSWORD)), mechanism),
    30_000,
  )

  it('lets us in by a client certificate, and everything works', async () => {
    await roundTrip(connect(byCertificate(authority.issue('posthorn'))), 'mTLS')
  }, 30_000)

  it('takes a password from a file', async () => {
    const { POSTHORN_KAFKA_SASL_PASSWORD: password, ...rest } = login('PLAIN', PASSWORD)
    const connection = connect({ ...rest, POSTHORN_KAFKA_SASL_PASSWORD_FILE: file('password', `${password}\n`) })
    expect(await connection.withAdmin(admin => admin.listTopics())).toContain(connection.topic(WORK))
  }, 30_000)

  it.each([
    ['a wrong password of SCRAM', () => login('SCRAM-SHA-512', 'wrong'), /refuse the login.*_PASSWORD/],
    ['a wrong password of PLAIN', () => login('PLAIN', 'wrong'), /refuse the login.*_PASSWORD/],
    [
      'an unknown CA',
      () => ({ ...login('PLAIN', PASSWORD), ...tls(1, stranger.ca) }),
      /not signed by a CA.*TLS_CA_FILE/,
    ],
    [
      'a login where there is none',
      () => ({ ...tlsOff(login('PLAIN', PASSWORD)), POSTHORN_KAFKA_BROKERS: at(0) }),
      /take no login on this port/,
    ],
    ['no CA', () => without(login('PLAIN', PASSWORD), 'TLS_CA_FILE'), /not signed by a CA.*TLS_CA_FILE/],
    ['another name', () => ({ ...login('PLAIN', PASSWORD), ...tls(1, authority.ca, 'elsewhere') }), /TLS_SERVER_NAME/],
    ['no client certificate', () => tls(2, authority.ca), /client certificate.*TLS_CERT_FILE/],
    ['a client certificate of others', () => byCertificate(stranger.issue('posthorn')), /certificate.*TLS_CERT_FILE/],
  ])(
    '%s is refused at start, with what to do',
    async (_what, env, advice) => {
      const refused = requireTopics(connect(env()))
      await expect(refused).rejects.toThrow(advice)
      await expect(refused).rejects.toBeInstanceOf(KafkaAccessRefused)
    },
    30_000,
  )

  it.each([
    ['no login', () => tls(1, authority.ca)],
    ['TLS where there is none', () => tls(0, authority.ca)],
    ['plain text where TLS is wanted', () => ({ POSTHORN_KAFKA_BROKERS: at(1) })],
  ])(
    '%s looks like a broker that restarts: the settings to look at are named',
    async (_what, env) => {
      const listing = connect(env()).withAdmin(admin => admin.listTopics())
      await expect(listing).rejects.toThrow(/POSTHORN_KAFKA_TLS=on or off, POSTHORN_KAFKA_SASL_MECHANISM/)
    },
    30_000,
  )

  it('a user without ACLs is told about them', async () => {
    const nobody = connect(byCertificate(authority.issue('nobody')))
    const reading = nobody.withAdmin(admin => admin.fetchTopicOffsets(nobody.topic(WORK)))
    await expect(reading).rejects.toThrow(/ACLs of docs\/kafka.md/)
  }, 30_000)

  it('a login that is refused while running is said and waited for', async () => {
    const lines: string[] = []
    const connection = connect(login('PLAIN', PASSWORD), lines)
    const fatal: Error[] = []
    const seen: string[] = []
    const consumer = consume(connection, 'patient', fatal, seen)
    await consumer.start()
    const producer = new SafeProducer(connection)
    await producer.connect()
    await producer.send(WORK, { key: null, value: Buffer.from('before') })
    await until(() => seen.includes('before'), 10_000)

    await kafka.stop()
    kafka = await start('another')
    const sending = producer.send(WORK, { key: null, value: Buffer.from('after') })
    await until(() => lines.some(line => line.includes('The brokers refuse the login')), 20_000)
    await kafka.stop()
    kafka = await start(PASSWORD)
    await sending
    await until(() => seen.includes('after'), 30_000)
    expect(fatal).toEqual([])
    await Promise.all([consumer.stop(), producer.close()])
  }, 120_000)

  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'what is compressed by %s, by the broker in Java or by us, is read',
    async codec => {
      const topic: TopicContract = { ...WORK, name: `by-${codec}` }
      await makeTopics(open, topic)
      const name = open.topic(topic)
      const large = 'x'.repeat(100_000)
      const values = Array.from({ length: 50 }, (_, i) => `${i} ${i % 10 === 0 ? large : 'small'}`)
      const send = async (compression: KafkaCompression) => {
        const producer = new SafeProducer(new KafkaConnection({ ...open.options, compression }))
        await producer.connect()
        await Promise.all(values.map(value => producer.send(topic, { key: null, value: Buffer.from(value) })))
        await producer.close()
      }
      await send(codec)
      await send('none')
      // The broker compresses anew what comes in another way than the topic says.
      await open.withAdmin(admin => setCompression(admin, name, codec))
      await send(codec === 'gzip' ? 'zstd' : 'gzip')
      const seen: string[] = []
      const fatal: Error[] = []
      const consumer = consume(open, `reader-${codec}`, fatal, seen, topic)
      await consumer.start()
      await until(() => seen.length >= 150, 15_000)
      await consumer.stop()
      expect(seen).toEqual([...values, ...values, ...values])
      expect(fatal).toEqual([])
    },
    40_000,
  )

  function start(password: string): Promise<RunningKafka> {
    const [port, controllerPort, saslPort, mutualTlsPort] = ports as [number, number, number, number]
    const server = authority.issue('kafka', ['localhost'], ['127.0.0.1'])
    const secured = { saslPort, mutualTlsPort, users: { posthorn: password }, ca: authority.ca, ...server }
    const onProgress = () => undefined
    return startKafka({ dir, cacheDir: CACHE, heap: ['-Xmx256m'], port, controllerPort, secured, onProgress })
  }

  /** The ACLs of docs/kafka.md, for a user that does the work of all services. */
  function allow(...users: string[]): Promise<boolean> {
    const { AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes } = kafkajs
    const { TOPIC, GROUP } = AclResourceTypes
    const { READ, WRITE, DESCRIBE_CONFIGS } = AclOperationTypes
    const rules = [
      [TOPIC, READ] as const,
      [TOPIC, WRITE] as const,
      [TOPIC, DESCRIBE_CONFIGS] as const,
      [GROUP, READ] as const,
    ]
    return open.withAdmin(admin =>
      admin.createAcls({
        acl: users.flatMap(user =>
          rules.map(([resourceType, operation]) => ({
            resourceType,
            operation,
            resourceName: open.prefix,
            resourcePatternType: ResourcePatternTypes.PREFIXED,
            principal: `User:${user}`,
            host: '*',
            permissionType: AclPermissionTypes.ALLOW,
          })),
        ),
      }),
    )
  }

  /** Three topics' worth of use: produced, consumed as a group, followed as a table. */
  async function roundTrip(connection: KafkaConnection, value: string): Promise<void> {
    const fatal: Error[] = []
    const seen: string[] = []
    const producer = new SafeProducer(connection)
    const consumer = consume(connection, `group-${value}`, fatal, seen)
    const table = new TableFollower<{ id: string; version: number }>(connection, {
      topic: TABLE,
      decode: bytes => ({ kind: 'document', document: { id: bytes!.toString(), version: 1 } }),
      fatal: error => fatal.push(error),
    })
    await Promise.all([producer.connect(), consumer.start(), table.start()])
    await producer.send(WORK, { key: null, value: Buffer.from(value) })
    await producer.send(TABLE, { key: Buffer.from(value), value: Buffer.from(value) })
    await until(() => seen.includes(value) && table.get(value) !== undefined, 15_000)
    await Promise.all([producer.close(), consumer.stop(), table.stop()])
    expect(fatal).toEqual([])
  }

  function consume(
    connection: KafkaConnection,
    group: string,
    fatal: Error[],
    seen: string[],
    topic = WORK,
  ): GroupConsumer {
    return new GroupConsumer(connection, {
      group,
      topics: [topic],
      fatal: error => fatal.push(error),
      onBatch: ({ claim, records }) => {
        for (const record of records) {
          seen.push(record.value!.toString())
          claim.done(record.offset)
        }
      },
    })
  }

  function connect(env: Record<string, string>, lines: string[] = []): KafkaConnection {
    const settings = readSettings({ POSTHORN_KAFKA_PREFIX: open.prefix, POSTHORN_KAFKA_PARTITIONS: '1', ...env })
    const logger = createLogger('silent', 'test')
    const noting = Object.assign(Object.create(logger) as typeof logger, {
      error: (...line: unknown[]) => void lines.push(JSON.stringify(line)),
    })
    const connection = new KafkaConnection(kafkaOptionsFrom(settings, noting, 'test'))
    connections.push(connection)
    return connection
  }

  const at = (listener: 0 | 1 | 2) => `127.0.0.1:${ports[[0, 2, 3][listener]!]}`

  function tls(listener: 0 | 1 | 2, ca: string, serverName?: string): Record<string, string> {
    return {
      POSTHORN_KAFKA_BROKERS: at(listener),
      POSTHORN_KAFKA_TLS: 'on',
      POSTHORN_KAFKA_TLS_CA_FILE: file('ca.pem', ca),
      ...(serverName === undefined ? {} : { POSTHORN_KAFKA_TLS_SERVER_NAME: serverName }),
    }
  }

  function login(mechanism: string, password: string): Record<string, string> {
    return {
      ...tls(1, authority.ca),
      POSTHORN_KAFKA_SASL_MECHANISM: mechanism,
      POSTHORN_KAFKA_SASL_USERNAME: 'posthorn',
      POSTHORN_KAFKA_SASL_PASSWORD: password,
    }
  }

  function byCertificate({ cert, key }: IssuedCertificate): Record<string, string> {
    return {
      ...tls(2, authority.ca),
      POSTHORN_KAFKA_TLS_CERT_FILE: file('cert.pem', cert),
      POSTHORN_KAFKA_TLS_KEY_FILE: file('key.pem', key),
    }
  }

  function file(name: string, content: string): string {
    const path = join(mkdtempSync(join(dir, 'file-')), name)
    writeFileSync(path, content)
    return path
  }
})

function tlsOff(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([variable]) => !variable.startsWith('POSTHORN_KAFKA_TLS')))
}

function without(env: Record<string, string>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([variable]) => variable !== `POSTHORN_KAFKA_${name}`))
}

function setCompression(admin: kafkajs.Admin, name: string, codec: string): Promise<unknown> {
  const configEntries = [
    { name: 'compression.type', value: codec },
    { name: 'message.timestamp.type', value: 'LogAppendTime' },
  ]
  const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configEntries }]
  return admin.alterConfigs({ validateOnly: false, resources })
}

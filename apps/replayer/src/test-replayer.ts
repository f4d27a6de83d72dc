import { randomBytes } from 'node:crypto'
import {
  commitPositions,
  createTopics,
  KafkaConnection,
  kafkaOptionsFrom,
  PartitionReader,
  planTopics,
  readPositions,
  SafeProducer,
} from '@posthorn/kafka'
import { Health, readSettings, type RunningService, type Settings } from '@posthorn/process'
import {
  Database,
  HistoryPartitions,
  HistoryWriter,
  migrate,
  openHistoryPool,
  Replays,
  Tenants,
  Webhooks,
  type AuditEntry,
  type HistoryEntry,
  type NewReplay,
  type ReplayRow,
  type SqlPool,
} from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, testBrokers, testDatabaseUrl, until, type TestDatabase } from '@posthorn/testkit'
import { BULK, decodeDelivery, DELIVERER_GROUP, EVENTS, groupName, type Attempt } from '@posthorn/topics'
import {
  DEFAULT_RETRY_POLICY,
  deliveryId,
  replayId,
  webhookId,
  type Delivery,
  type OutcomeKind,
  type WebhookEvent,
} from '@posthorn/webhook'
import { replayerService } from './service.js'

export const TENANT = 'default'
const DELIVERS_EVERY_MS = 100
const WAIT_MS = 60_000
const logger = createLogger('silent', 'replayer.kafka.spec')
const trail = (): AuditEntry => ({
  tenant: TENANT,
  key: 'platform',
  address: '127.0.0.1',
  requestId: 'r',
  action: 'test',
  subject: 'test',
  before: null,
  after: null,
})

/** Topics, a database and a history of its own, and replayers on them. */
export class TestReplayer {
  readonly replays: Replays
  readonly webhooks: Webhooks
  readonly faults: Error[] = []
  /** Whether bulk.v1 is finished as if deliverers ran. */
  hasDeliverers = true
  private delivering: Promise<void> | undefined
  private isStopped = false
  private readonly running = new Set<RunningService>()
  private offset = 0

  private constructor(
    readonly settings: Settings,
    readonly connection: KafkaConnection,
    readonly producer: SafeProducer,
    private readonly testDatabase: TestDatabase,
    private readonly database: Database,
    readonly pool: SqlPool,
  ) {
    this.replays = new Replays(database)
    this.webhooks = new Webhooks(database)
  }

  static async start(): Promise<TestReplayer> {
    const testDatabase = await createTestDatabase()
    await migrate(testDatabase.url, logger)
    const settings = readSettings({
      POSTHORN_KAFKA_BROKERS: testBrokers().join(),
      POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
      POSTHORN_KAFKA_PARTITIONS: '2',
      POSTHORN_DATABASE_URL: testDatabase.url,
    })
    const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'replayer-test'))
    await createTopics(connection, await planTopics(connection))
    const producer = new SafeProducer(connection)
    const database = new Database({ url: testDatabase.url, poolSize: 2, name: 'test', logger })
    await Promise.all([producer.connect(), database.connect()])
    const pool = openHistoryPool(testDatabase.url, { max: 2, name: 'test', onError: () => undefined })
    return new TestReplayer(settings, connection, producer, testDatabase, database, pool)
  }

  async stop(): Promise<void> {
    this.isStopped = true
    await this.delivering
    for (const replayer of this.running) await replayer.stop()
    await Promise.all([this.producer.close(), this.database.close(), this.pool.end()])
    await this.testDatabase.drop()
  }

  async run(): Promise<RunningService> {
    const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
    const fatal = (error: Error) => void this.faults.push(error)
    const replayer = await replayerService.start({ settings: this.settings, logger, health, fatal })
    this.running.add(replayer)
    this.delivering ??= this.deliver()
    return { ...replayer, stop: () => (this.running.delete(replayer) ? replayer.stop() : Promise.resolve()) }
  }

  async webhook(events: string[], filter: object | null = null): Promise<string> {
    const id = webhookId(randomBytes(16))
    const row = await this.webhooks.insert(
      {
        id,
        tenant: TENANT,
        uid: null,
        status: 'active',
        url: 'http://127.0.0.1:9/',
        method: 'POST',
        sealedHeaders: {},
        events,
        filter,
        format: 'standard',
        secrets: [],
        retryPolicy: DEFAULT_RETRY_POLICY,
        description: null,
        metadata: {},
      } as never,
      trail,
    )
    return row.id
  }

  /** Writes events of these outcomes, a second apart, into the history; resolves with their deliveries' ids. */
  async history(webhook: string, outcomes: readonly OutcomeKind[], type = 'agent.created'): Promise<string[]> {
    const start = Date.now() - 3600_000
    const written = outcomes.map((outcome, n) =>
      ended(anEvent(`${webhook}-${type}-${n}`, type, start + n * 1000), webhook, outcome),
    )
    const writer = new HistoryWriter(this.pool, new HistoryPartitions(this.pool, 14), 'test')
    const entries = written.flatMap(({ entries }) => entries)
    await writer.write(
      entries.map(entry => ({ topic: 't', partition: 0, offset: this.offset++, timestamp: Date.now(), entry })),
      Date.now(),
    )
    return written.map(({ id }) => id)
  }

  /** Has the history say that this record of events.v1 fits no schema. */
  async poisoned(partition: number, offset: number): Promise<void> {
    const reader = new PartitionReader(this.connection, this.connection.topic(EVENTS), partition)
    await reader.open()
    const timestamp = Number((await reader.fetch(offset, 1000)).messages[0]!.timestamp)
    await reader.close()
    const head = { topic: EVENTS.name, partition, offset, timestamp, detail: '', size: 2 }
    const entry: HistoryEntry = {
      kind: 'poison',
      head: { ...head, reason: 'schema_mismatch' },
      value: Buffer.from('{}'),
    }
    const writer = new HistoryWriter(this.pool, new HistoryPartitions(this.pool, 14), 'test')
    await writer.write([{ topic: 't', partition: 0, offset: this.offset++, timestamp, entry }], timestamp)
  }

  async tenant(id: string): Promise<void> {
    await new Tenants(this.database).insert({ id, description: null, quotas: {}, unknownEventTypes: 'accept' }, trail)
  }

  /** Refuses all connections to the database and cuts those of replayers, for a time. */
  async withoutPostgres(ms: number): Promise<void> {
    const server = openHistoryPool(testDatabaseUrl(), { max: 1, name: 'test', onError: () => undefined })
    const name = new URL(this.testDatabase.url).pathname.slice(1)
    await server.query(`alter database ${name} allow_connections false`)
    await server.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = $1 and application_name like 'posthorn-replayer%'`,
      [name],
    )
    await new Promise(resolve => setTimeout(resolve, ms))
    await server.query(`alter database ${name} allow_connections true`)
    await server.end()
  }

  create(selection: NewReplay['selection'], more: Partial<NewReplay> = {}): Promise<ReplayRow> {
    const id = replayId(Date.now(), randomBytes(10))
    return this.replays.insert({ id, tenant: TENANT, selection, dryRun: false, rate: 10_000, ...more }, trail)
  }

  async change(id: string, change: { status?: 'paused' | 'queued' | 'cancelled'; rate?: number }): Promise<void> {
    await this.replays.change(TENANT, id, () => change, trail)
  }

  async until(id: string, holds: (row: ReplayRow) => boolean, tenant = TENANT): Promise<ReplayRow> {
    let row: ReplayRow | undefined
    await until(
      async () => (row = await this.replays.get(tenant, id)) !== undefined && holds(row),
      WAIT_MS,
      () => `the replay is ${JSON.stringify(row)}`,
    )
    return row!
  }

  private async deliver(): Promise<void> {
    while (!this.isStopped) {
      if (this.hasDeliverers) await this.finishBulk()
      await new Promise(resolve => setTimeout(resolve, DELIVERS_EVERY_MS))
    }
  }

  /** Commits the ends of bulk.v1. */
  private async finishBulk(): Promise<void> {
    const topic = this.connection.topic(BULK)
    const group = groupName(this.settings.kafkaPrefix, DELIVERER_GROUP)
    const positions = await this.connection.withAdmin(admin => readPositions(admin, group, [topic]))
    await commitPositions(
      this.connection,
      group,
      positions.map(({ partition, end }) => ({ topic, partition, offset: end })),
    )
  }

  /** All that bulk.v1 has of a run. */
  async sent(run: string): Promise<{ delivery: Delivery; data: string }[]> {
    const found: { delivery: Delivery; data: string }[] = []
    for (let partition = 0; partition < 2; partition++) {
      const reader = new PartitionReader(this.connection, this.connection.topic(BULK), partition)
      await reader.open()
      for (let next = 0, end = 1; next < end;) {
        const fetched = await reader.fetch(next, 100)
        for (const { value } of fetched.messages) {
          const read = decodeDelivery(value)
          if (read.kind !== 'delivery') throw new Error(`bulk.v1 has a ${read.kind} record`)
          if (read.delivery.run === run) found.push({ delivery: read.delivery, data: read.data.toString() })
        }
        ;({ next, end } = fetched)
      }
      await reader.close()
    }
    return found
  }
}

export function anEvent(id: string, type: string, at = Date.now()): WebhookEvent {
  const time = new Date(at).toISOString()
  return { tenant: TENANT, id, source: '/tests', type, time, contenttype: 'application/json' }
}

function ended(event: WebhookEvent, webhook: string, outcome: OutcomeKind): { id: string; entries: HistoryEntry[] } {
  const id = deliveryId(event, webhook)
  const { time } = event
  const attempt: Attempt = {
    delivery: id,
    run: '0',
    attempt: 1,
    webhook,
    webhook_version: 1,
    tenant: TENANT,
    event,
    accepted_at: time,
    outcome,
    due_at: time,
    started_at: time,
    finished_at: time,
    duration_ms: 1,
  }
  const data = Buffer.from(`{"of": "${event.id}"}`)
  return {
    id,
    entries: [
      { kind: 'event', event, data, acceptedAt: Date.parse(time) },
      { kind: 'attempt', attempt },
    ],
  }
}

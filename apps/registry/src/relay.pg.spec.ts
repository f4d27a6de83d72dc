import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Database, migrate, Outbox, OUTBOX_KINDS, Webhooks, type NewWebhook, type OutboxKind } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, until, type TestDatabase } from '@posthorn/testkit'
import { decodeWebhook, encodeMark, type TableMark, type TopicContract, type TopicRecord } from '@posthorn/topics'
import { DEFAULT_RETRY_POLICY, protectionsOf, type Webhook } from '@posthorn/webhook'
import { DOCUMENTS } from './documents.js'
import { Relay, type RelayParts } from './relay.js'
import { RelayMetrics } from './relay-metrics.js'

const logger = createLogger('silent', 'test')

/** One compacted topic and its follower, as far as the relay sees them. */
class Topic {
  readonly records: { id: string; document: Webhook | undefined }[] = []
  /** What was said of it, and after how many documents. */
  readonly marks: [TableMark, number][] = []
  private overwritten: string[] = []
  onStale = () => {}

  append(record: TopicRecord): void {
    const read = decodeWebhook(record.value)
    if (read.kind === 'mark') return void this.marks.push([read.mark, this.records.length])
    const document = read.kind === 'document' ? read.document : undefined
    const id = record.key!.toString()
    const newest = Math.max(0, ...this.of(id).map(one => one.document?.version ?? 0))
    this.records.push({ id, document })
    if (!document || document.version >= newest) return
    this.overwritten.push(id)
    this.onStale()
  }
  of(id: string) {
    return this.records.filter(record => record.id === id)
  }
  last(id: string): Webhook | undefined {
    return this.of(id).at(-1)?.document
  }
  lastVersion(id: string): number | undefined {
    return this.last(id)?.version
  }
  lastProtections(id: string): string {
    return protectionsOf(this.last(id) ?? {})
  }
  get isUntouched(): boolean {
    return this.records.length + this.marks.length === 0
  }
  get mark(): TableMark | undefined {
    return this.marks.at(-1)?.[0]
  }
  takeOverwritten(): string[] {
    return this.overwritten.splice(0)
  }
  async readToEnd(): Promise<void> {}
}

let created: TestDatabase
let database: Database
let webhooks: Webhooks
let topics: Record<OutboxKind, Topic>
let relays: Relay[]

beforeEach(async () => {
  created = await createTestDatabase()
  await migrate(created.url, logger)
  database = new Database({ url: created.url, poolSize: 4, name: 'test', logger })
  await database.connect()
  webhooks = new Webhooks(database)
  topics = Object.fromEntries(OUTBOX_KINDS.map(kind => [kind, new Topic()])) as Record<OutboxKind, Topic>
  relays = []
})
afterEach(async () => {
  for (const relay of relays) relay.end()
  await Promise.all(relays.map(relay => relay.stopped()))
  await database.close()
  await created.drop()
})

type Send = (topic: Topic, record: TopicRecord) => Promise<void>

const append: Send = async (topic, record) => topic.append(record)

function startRelay(send = append, more: Partial<RelayParts> = {}): Relay {
  const producer = {
    send: async (contract: TopicContract, record: TopicRecord) => {
      const kind = OUTBOX_KINDS.find(one => DOCUMENTS[one].topic === contract)!
      await send(topics[kind], record)
      return { partition: 0, offset: 0 }
    },
  }
  const tails = {
    of: (kind: OutboxKind) => topics[kind] as never,
    whenStale: (listener: () => void) => void (topics.webhook.onStale = listener),
  }
  const outbox = new Outbox(database)
  const relay = new Relay({
    outbox,
    producer,
    tails,
    logger,
    databaseUrl: created.url,
    metrics: new RelayMetrics(),
    ...more,
  })
  relay.start()
  relays.push(relay)
  return relay
}

const audited = () => ({
  key: 'platform',
  address: '127.0.0.1',
  requestId: 'r',
  tenant: null,
  action: 'test',
  subject: 'test',
  before: null,
  after: null,
})

let count = 0
function fresh(): NewWebhook {
  return {
    id: `webhook_${++count}`,
    tenant: 'default',
    status: 'active',
    url: 'https://example.com',
    method: 'POST',
    ordering: 'none',
    events: ['*'],
    filter: null,
    format: 'standard',
    secrets: [{ id: 'secret_1', sealed: 'v1.k.aaaa', createdAt: '2026-11-24T12:00:00.000Z', expiresAt: null }],
    sealedHeaders: {},
    uid: null,
    metadata: {},
    retryPolicy: DEFAULT_RETRY_POLICY,
    rateLimit: null,
    maxConcurrency: null,
    allowedCidrs: null,
    deniedCidrs: null,
    minTlsVersion: null,
    encryption: null,
    authentication: null,
    tls: null,
    sendTraceparent: false,
    signing: null,
    disableAfterSeconds: null,
    description: null,
  }
}

const WAIT_MS = 30_000
const published = (id: string, version: number) => until(() => topics.webhook.lastVersion(id) === version, WAIT_MS)
const outboxEmpty = () => until(async () => (await new Outbox(database).read(1)).rows.length === 0, WAIT_MS)

describe('Relay', () => {
  test('publishes the tenant default and what was changed, the current document only', async () => {
    const { id } = await webhooks.insert(fresh(), audited)
    await webhooks.change('default', id, undefined, () => ({ description: 'second' }), audited)
    await webhooks.change('default', id, undefined, () => ({ url: 'https://example.com/3' }), audited)
    startRelay()
    await outboxEmpty()
    expect(topics.webhook.of(id)).toHaveLength(1)
    expect(topics.webhook.last(id)).toMatchObject({
      version: 3,
      url: 'https://example.com/3',
      sealedSecrets: ['v1.k.aaaa'],
    })
    expect(topics.tenant.last('default')).toMatchObject({ version: 1, status: 'active' })
  })

  test('a change committed by a process that is killed before publishing is published later', async () => {
    const killed = startRelay(async () => Promise.reject(new Error('killed')))
    const { id } = await webhooks.insert(fresh(), audited)
    killed.end()
    await killed.stopped()
    expect(topics.webhook.records).toEqual([])
    startRelay()
    await published(id, 1)
  })

  test('killed after the acknowledgement and before the outbox row goes: published again, nothing lost', async () => {
    const { id } = await webhooks.insert(fresh(), audited)
    const killed = startRelay(async (topic, record) => {
      topic.append(record)
      if (decodeWebhook(record.value).kind !== 'mark') throw new Error('killed')
    })
    await published(id, 1)
    killed.end()
    await killed.stopped()
    await webhooks.change('default', id, undefined, () => ({ status: 'disabled' }), audited)
    startRelay()
    await published(id, 2)
    await outboxEmpty()
  })

  test('a wake publishes at once, and a change of another process by its notification', async () => {
    // Were it the poll that finds them, they would not be found here.
    const relay = startRelay(append, { pollMs: 3600_000 })
    await outboxEmpty()
    const { id } = await webhooks.insert(fresh(), audited)
    relay.wake()
    await published(id, 1)
    await webhooks.change('default', id, undefined, () => ({ description: 'second' }), audited)
    await published(id, 2)
  })

  test('never leaves an older document last: it publishes again with a higher version', async () => {
    startRelay()
    const { id } = await webhooks.insert(fresh(), audited)
    await published(id, 1)
    const older = topics.webhook.last(id)!
    await webhooks.change('default', id, undefined, () => ({ description: 'newer' }), audited)
    await published(id, 2)
    topics.webhook.append({ key: Buffer.from(id), value: Buffer.from(JSON.stringify({ v: 1, ...older })) })
    await published(id, 3)
    expect(await webhooks.get('default', id)).toMatchObject({ version: 3, description: 'newer' })
  })

  test('at its start publishes again what the topic lacks, or has in another version', async () => {
    const [lost, ahead] = [await webhooks.insert(fresh(), audited), await webhooks.insert(fresh(), audited)]
    startRelay().wake()
    await outboxEmpty()
    relays[0]!.end()
    await relays[0]!.stopped()
    const future = { ...topics.webhook.last(ahead.id)!, version: 9 }
    topics.webhook.records.splice(0)
    topics.webhook.append({ key: Buffer.from(ahead.id), value: Buffer.from(JSON.stringify({ v: 1, ...future })) })
    startRelay()
    await published(lost.id, 2)
    await published(ahead.id, 10)
    await outboxEmpty()
  })

  test('S7 at its start publishes again what an older registry published without what it does not know', async () => {
    const signing = { type: 'standard_sha512' } as const
    const [secret] = fresh().secrets
    const secrets = [{ ...secret!, bound: 'signing' }]
    const [lost, whole] = [
      await webhooks.insert({ ...fresh(), signing, secrets }, audited),
      await webhooks.insert({ ...fresh(), signing, secrets }, audited),
    ]
    startRelay().wake()
    await outboxEmpty()
    relays[0]!.end()
    await relays[0]!.stopped()
    const { signing: _, ...older } = topics.webhook.last(lost.id)!
    topics.webhook.append({ key: Buffer.from(lost.id), value: Buffer.from(JSON.stringify({ v: 1, ...older })) })
    startRelay()
    await published(lost.id, 2)
    expect(topics.webhook.last(lost.id)).toMatchObject({ signing })
    expect(topics.webhook.last(whole.id)).toMatchObject({ signing, version: 1 })
  })

  test('only one of several relays publishes, and another takes over', async () => {
    const by: string[] = []
    const named = (name: string): Send => {
      return async (topic, record) => void (topic.append(record), by.push(name))
    }
    const first = startRelay(named('first'))
    await outboxEmpty()
    startRelay(named('second'))
    const { id } = await webhooks.insert(fresh(), audited)
    await published(id, 1)
    expect(new Set(by)).toEqual(new Set(['first']))
    first.end()
    await first.stopped()
    await webhooks.change('default', id, undefined, () => ({ status: 'disabled' }), audited)
    await published(id, 2)
    expect(by.at(-1)).toBe('second')
  })

  test('goes on after all its connections to Postgres were cut', async () => {
    startRelay()
    await outboxEmpty()
    await database.manager
      .query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()')
      .catch(() => undefined)
    let id = ''
    await until(async () => {
      id = await webhooks.insert(fresh(), audited).then(
        row => row.id,
        () => '',
      )
      return id !== ''
    }, WAIT_MS)
    await published(id, 1)
  })

  test('ends a webhook with a tombstone 30 days after its deletion', async () => {
    const [old, young] = [await webhooks.insert(fresh(), audited), await webhooks.insert(fresh(), audited)]
    for (const { id } of [old, young]) await webhooks.remove('default', id, undefined, audited)
    await database.manager.query(`UPDATE webhooks SET deleted_at = now() - interval '31 days' WHERE id = $1`, [old.id])
    startRelay()
    await until(() => topics.webhook.of(old.id).length === 2, WAIT_MS)
    await until(async () => (await new Outbox(database).versionsOf('webhook', [old.id])).length === 0, WAIT_MS)
    expect(topics.webhook.of(old.id).map(record => record.document?.status)).toEqual(['deleted', undefined])
    expect(topics.webhook.of(young.id).map(record => record.document?.status)).toEqual(['deleted'])
  })

  const whole = () => until(() => OUTBOX_KINDS.every(kind => topics[kind].mark === 'published'), WAIT_MS)

  test('on topics that are empty it says so before the first document, and when the last one of all is there', async () => {
    for (let n = 0; n < 3; n++) await webhooks.insert(fresh(), audited)
    const order: OutboxKind[] = []
    const noting: Send = async (topic, record) => {
      topic.append(record)
      if (topic.mark === 'published') order.push(OUTBOX_KINDS.find(kind => topics[kind] === topic)!)
    }
    startRelay(noting)
    await whole()
    relays[0]!.end()
    await relays[0]!.stopped()
    expect(topics.webhook.marks).toEqual([
      ['publishing', 0],
      ['published', 3],
    ])
    expect(topics.source.marks.map(([mark]) => mark)).toEqual(['publishing', 'published'])
    expect(order.at(-1)).toBe('webhook')
    topics = Object.fromEntries(OUTBOX_KINDS.map(kind => [kind, new Topic()])) as Record<OutboxKind, Topic>
    startRelay()
    await whole()
    expect(topics.webhook.marks.map(([mark, after]) => [mark, after])).toEqual([
      ['publishing', 0],
      ['published', 3],
    ])
    expect(topics.tenant.marks.at(-1)).toEqual(['published', 1])
  })

  test('topics of a release without marks are never said to be incomplete', async () => {
    const { id } = await webhooks.insert(fresh(), audited)
    const document = { id, version: 1, status: 'active' }
    topics.webhook.append({ key: Buffer.from(id), value: Buffer.from(JSON.stringify({ v: 1, ...document })) })
    startRelay()
    await whole()
    expect(topics.webhook.marks).toHaveLength(1)
  })

  test('what a relay without the lock says too late does not stand', async () => {
    startRelay()
    await whole()
    topics.webhook.append(encodeMark('publishing'))
    await whole()
  })
})

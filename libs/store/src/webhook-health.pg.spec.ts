import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, type TestDatabase } from '@posthorn/testkit'
import type { Attempt, OwnEvent } from '@posthorn/topics'
import { DEFAULT_RETRY_POLICY } from '@posthorn/webhook'
import { Database } from './data-source.js'
import { HealthReports, type HealthReport } from './health-reports.js'
import type { PositionedEntry } from './history-entries.js'
import { HistoryPartitions } from './history-partitions.js'
import { openHistoryPool, type SqlPool } from './history-pool.js'
import { HistoryWriter } from './history-writer.js'
import { migrate } from './migrate.js'
import { sendOwnEvents } from './own-events.js'
import { HealthKeeper } from './webhook-health.js'
import { Webhooks, type WebhookChange } from './webhooks.js'

const logger = createLogger('silent', 'test')
/** All that happens here is in the past of the test, and after its webhooks were made. */
const START = Math.ceil((Date.now() - 12 * 3600_000) / 1000) * 1000
const RULES = { disableAfterSeconds: 100, warnAt: 0.5 }
let created: TestDatabase
let database: Database
let pool: SqlPool
let webhooks: Webhooks
let reports: HealthReports
let writer: HistoryWriter

beforeAll(async () => {
  created = await createTestDatabase()
  await migrate(created.url, logger)
  database = new Database({ url: created.url, poolSize: 4, name: 'test', logger })
  await database.connect()
  pool = openHistoryPool(created.url, { max: 4, name: 'test', onError: () => undefined })
  webhooks = new Webhooks(database)
  reports = new HealthReports(pool)
})
afterAll(async () => {
  await Promise.all([database.close(), pool.end()])
  await created.drop()
})

let offset = 0
beforeEach(async () => {
  await pool.query('truncate webhook_health, network_reach, own_events')
  const keeper = new HealthKeeper(RULES)
  writer = new HistoryWriter(pool, new HistoryPartitions(pool, 14), 'g', [keeper])
})

const audited = () => ({
  ...{ key: 'platform', address: '', requestId: 'r', tenant: null, action: 'test', subject: 'test' },
  before: null,
  after: null,
})

let count = 0
/** One that has been active since long before its attempts. */
async function aWebhook(disableAfterSeconds: number | null = null): Promise<string> {
  const id = `webhook_${++count}`
  await pool.query(
    `insert into webhooks (id, tenant, version, status, url, method, events, format, retry_policy, metadata,
       created_at, updated_at, active_since, disable_after_seconds)
     values ($1, 'default', 1, 'active', 'https://u:p@shop.example/hook?key=1', 'POST', '{*}', 'standard', $2, '{}',
       $3, $3, $3, $4)`,
    [id, DEFAULT_RETRY_POLICY, new Date(START - 1000), disableAfterSeconds],
  )
  return id
}

type Ending = 'ok' | 'fails' | 'unreached'
const ENDINGS: Readonly<Record<Ending, Partial<Attempt>>> = {
  ok: { outcome: 'delivered', status_code: 200 },
  fails: { outcome: 'retry', status_code: 503, error_class: 'server.resource' },
  unreached: { outcome: 'retry', error_class: 'network.connection' },
}

/** An attempt that ended so many seconds after the start. */
function attempt(webhook: string, second: number, ending: Ending, change: Partial<Attempt> = {}): PositionedEntry {
  const ms = START + second * 1000
  const at = new Date(ms).toISOString()
  const made = {
    ...{ delivery: `d${offset}`, run: '0', attempt: 1, webhook, webhook_version: 1, tenant: 'default' },
    ...{ event: { id: 'e', source: '/s', type: 'a.b', time: at }, accepted_at: at, due_at: at, started_at: at },
    ...{ finished_at: at, duration_ms: 1, url: 'https://shop.example/hook', outcome: 'retry' as const },
    ...ENDINGS[ending],
    ...change,
  }
  const entry = { kind: 'attempt', attempt: made } as const
  return { topic: 'attempts.v1', partition: 0, offset: offset++, timestamp: ms, entry }
}

/** Each in a transaction of its own. */
async function write(...entries: PositionedEntry[]): Promise<void> {
  for (const entry of entries) await writer.write([entry], START)
}
const attempts = (webhook: string, ending: Ending, ...seconds: number[]) =>
  seconds.map(second => attempt(webhook, second, ending))

const rows = async () => (await pool.query('select * from webhook_health order by webhook')).rows
const facets = async () =>
  (await reports.unpublished(100)).map(report => (report.kind === 'health' ? report.health.health : report.kind))
async function events(): Promise<OwnEvent[]> {
  const sent: OwnEvent[] = []
  await sendOwnEvents(pool, 100, async some => sent.push(...some))
  return sent
}
const publishAll = async () => {
  const some: HealthReport[] = await reports.unpublished(100)
  for (const report of some) await reports.published(report)
}
const change = (webhook: string, what: WebhookChange) =>
  webhooks.change('default', webhook, undefined, () => what, audited)

describe('the health that is kept', () => {
  test('is that of failing webhooks alone, and one success ends it', async () => {
    const [well, ill] = [await aWebhook(), await aWebhook()]
    await write(...attempts(well, 'ok', 1, 2), ...attempts(ill, 'fails', 1, 2, 40))
    expect(await rows()).toMatchObject([{ webhook: ill, failures: 3, counted_ms: '39000', status_code: 503 }])
    await write(attempt(ill, 45, 'ok'))
    expect([await rows(), await facets(), await events()]).toEqual([[], [], []])
  })

  test('warns once, is due once, and recovers, each with a facet and the tenant told', async () => {
    const id = await aWebhook()
    await write(...attempts(id, 'fails', 0, 49))
    expect(await facets()).toEqual([])
    await write(...attempts(id, 'fails', 51, 52))
    expect(await facets()).toEqual(['failing'])
    expect(await events()).toMatchObject([
      {
        type: 'posthorn.webhook.failing',
        tenant: 'default',
        subject: id,
        data: {
          ...{ webhook: id, url: 'https://shop.example', failures: 3, failed_seconds: 51 },
          ...{ failing_since: new Date(START).toISOString(), disable_after_seconds: 100 },
          ...{ last_status_code: 503, last_error_class: 'server.resource' },
        },
      },
    ])
    await publishAll()
    await write(...attempts(id, 'fails', 99, 101, 120))
    expect([await facets(), await events()]).toEqual([['due'], []])
    await write(attempt(id, 130, 'ok'))
    expect(await facets()).toEqual(['healthy'])
    expect(await events()).toMatchObject([{ type: 'posthorn.webhook.recovered', data: { by: 'success' } }])
    await publishAll()
    expect(await rows()).toEqual([])
  })

  test('comes out the same when all is written again, in one batch or after a kill', async () => {
    const id = await aWebhook()
    const entries = attempts(id, 'fails', 0, 30, 60)
    await writer.write(entries, START)
    const before = await rows()
    await new HistoryWriter(pool, new HistoryPartitions(pool, 14), 'g', [new HealthKeeper(RULES)]).write(entries, START)
    expect(await rows()).toEqual(before)
    expect((await events()).map(({ type }) => type)).toEqual(['posthorn.webhook.failing'])
    expect(await events()).toEqual([])
  })

  test('of which nothing is left when the transaction fails', async () => {
    const id = await aWebhook()
    const batch = [attempt(id, 0, 'fails'), attempt(id, 60, 'fails', { status_code: 3e9 })]
    await expect(writer.write(batch, START)).rejects.toThrow()
    expect(await rows()).toEqual([])
  })

  test('counts no time in which nobody at all was reached', async () => {
    const [id, other] = [await aWebhook(), await aWebhook()]
    await write(attempt(other, 0, 'ok'), ...attempts(id, 'unreached', 0, 20, 300, 600))
    expect(await rows()).toMatchObject([{ failures: 4, counted_ms: '0' }])
    await write(attempt(other, 610, 'ok'), attempt(id, 620, 'unreached'))
    expect(await rows()).toMatchObject([{ counted_ms: '20000', told: 'nothing' }])
    await write(attempt(other, 640, 'fails'), attempt(id, 660, 'unreached'))
    expect(await facets()).toEqual(['failing'])
  })

  test('counts a receiver that was connected to and never answered', async () => {
    const id = await aWebhook()
    const hangs = (second: number) => attempt(id, second, 'unreached', { phases: { connect_ms: 1 } })
    await write(hangs(0), hangs(60))
    expect(await facets()).toEqual(['failing'])
  })

  test('says nothing by events of our own, nor by what was never sent', async () => {
    const id = await aWebhook()
    const own = { event: { id: 'o', source: '/posthorn', type: 'posthorn.webhook.failing', time: '' } }
    const { url: _, ...unsent } = (attempt(id, 300, 'fails').entry as { attempt: Attempt }).attempt
    await write(attempt(id, 0, 'fails', own), attempt(id, 200, 'fails', own), {
      ...attempt(id, 300, 'fails'),
      entry: { kind: 'attempt', attempt: unsent as Attempt },
    })
    expect(await rows()).toEqual([])
    await write(attempt(id, 400, 'fails'), attempt(id, 460, 'ok', own), attempt(id, 470, 'fails'))
    expect(await facets()).toEqual(['failing'])
  })

  test('obeys what the webhook says of its own time, and 0 is never', async () => {
    const [long, never] = [await aWebhook(1000), await aWebhook(0)]
    await write(...attempts(long, 'fails', 0, 200, 400), ...attempts(never, 'fails', 0, 200, 40_000))
    expect(await facets()).toEqual([])
    await write(...attempts(long, 'fails', 501))
    expect((await events()).map(({ subject, data }) => [subject, data])).toMatchObject([
      [long, { disable_after_seconds: 1000 }],
    ])
  })

  test('never believes a clock that is ahead of the log', async () => {
    const id = await aWebhook()
    const ahead = { finished_at: new Date(START + 3600_000).toISOString() }
    await write(attempt(id, 0, 'fails'), attempt(id, 2, 'fails', ahead))
    expect(await rows()).toMatchObject([{ counted_ms: '2000' }])
  })
})

describe('a webhook that a person enables or sends elsewhere', () => {
  test('begins anew, and the tenant is told that it was enabled', async () => {
    const id = await aWebhook()
    await write(...attempts(id, 'fails', 0, 60, 120))
    await publishAll()
    await change(id, { status: 'disabled', disabledReason: { rule: 'failing', at: new Date(START).toISOString() } })
    await events()
    await write(attempt(id, 130, 'ok'))
    expect([await facets(), await events()]).toEqual([[], []])
    const enabled = await change(id, { status: 'active' })
    expect(enabled).toMatchObject({ status: 'active', disabledReason: null })
    expect(await facets()).toEqual(['healthy'])
    expect(await events()).toMatchObject([{ type: 'posthorn.webhook.recovered', subject: id, data: { by: 'enabled' } }])
    // What ended before it was enabled is past, however late it is told.
    await write(...attempts(id, 'fails', 200, 400))
    expect(await facets()).toEqual(['healthy'])
  })

  test('has its clock started anew by another URL, without a word of recovery', async () => {
    const id = await aWebhook()
    await write(...attempts(id, 'fails', 0, 60))
    await events()
    await change(id, { url: 'https://shop.example/new' })
    expect([await facets(), await events()]).toEqual([['healthy'], []])
  })

  test('keeps its clock when anything else is changed', async () => {
    const id = await aWebhook()
    await write(...attempts(id, 'fails', 0))
    await change(id, { description: 'of the shop' })
    await write(...attempts(id, 'fails', 60))
    expect(await facets()).toEqual(['failing'])
  })

  test('leaves a tombstone once it is deleted, and nothing in the database', async () => {
    const id = await aWebhook()
    await write(...attempts(id, 'fails', 0, 60))
    await publishAll()
    await webhooks.remove('default', id, undefined, audited)
    await write(...attempts(id, 'fails', 120))
    await reports.sweep(Date.now())
    expect(await reports.unpublished(10)).toMatchObject([{ kind: 'deleted', webhook: id }])
    await publishAll()
    expect(await rows()).toEqual([])
  })
})

describe('the condition of a webhook, as its readers see it', () => {
  const read = async (id: string) => {
    const row = (await webhooks.get('default', id))!
    return (await webhooks.conditions([row]))(row)
  }

  test('is degraded by its last failure, failing once warned of, and healthy by a success', async () => {
    const [id, well] = [await aWebhook(), await aWebhook()]
    await write(attempt(well, 0, 'ok'), attempt(id, 0, 'fails'))
    const failingSince = new Date(START)
    expect(await read(well)).toEqual({ condition: 'healthy', failingSince: undefined })
    expect(await read(id)).toEqual({ condition: 'degraded', failingSince })
    await write(...attempts(id, 'fails', 60))
    expect(await read(id)).toEqual({ condition: 'failing', failingSince })
    await write(attempt(id, 70, 'ok'))
    expect(await read(id)).toEqual({ condition: 'healthy', failingSince: undefined })
  })

  test.each([['nothing but one failure', [0]] as const, ['a warning', [0, 60]] as const])(
    'begins anew with another URL, after %s',
    async (_what, seconds) => {
      const id = await aWebhook()
      await write(...attempts(id, 'fails', ...seconds))
      await change(id, { url: 'https://shop.example/new' })
      expect(await read(id)).toEqual({ condition: 'healthy', failingSince: undefined })
    },
  )
})

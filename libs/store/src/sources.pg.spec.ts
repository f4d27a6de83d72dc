import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, type TestDatabase } from '@posthorn/testkit'
import type { SourceDefinition } from '@posthorn/webhook'
import { Audit, type AuditEntry } from './audit.js'
import { Database } from './data-source.js'
import { migrate } from './migrate.js'
import { Outbox } from './outbox.js'
import { VersionConflict } from './published-row.js'
import { Sources } from './sources.js'

const logger = createLogger('silent', 'test')
let created: TestDatabase
let database: Database
let sources: Sources
let outbox: Outbox

beforeAll(async () => {
  created = await createTestDatabase()
  await migrate(created.url, logger)
  database = new Database({ url: created.url, poolSize: 4, name: 'test', logger })
  await database.connect()
  sources = new Sources(database)
  outbox = new Outbox(database)
})

afterAll(async () => {
  await database.close()
  await created.drop()
})

const definition: SourceDefinition = {
  topic: 'orders',
  value: 'json',
  start: 'latest',
  event: { tenant: { constant: 'acme' }, type: { pointer: '/a~1b' } },
}

const trail = (action: string) => (): AuditEntry => ({
  key: 'platform',
  address: '127.0.0.1',
  requestId: 'r',
  tenant: null,
  action,
  subject: 'source',
  before: null,
  after: null,
})

async function published(id: string) {
  const { publications } = await outbox.read(1000)
  return publications.find(({ document }) => document.id === id)?.document
}

describe('Sources', () => {
  it('has every change published and recorded with it, under the next version', async () => {
    const row = await sources.insert({ id: 's-1', definition }, trail('source.created'))
    expect(await sources.get('s-1')).toEqual(row)
    const document = { id: 's-1', version: 1, status: 'active', since: row.since.getTime(), ...definition }
    expect(await published('s-1')).toEqual(document)
    const paused = await sources.change('s-1', 1, () => ({ status: 'paused' }), trail('source.updated'))
    expect(await published('s-1')).toEqual({ ...document, version: 2, status: 'paused' })
    expect(await sources.get('s-1')).toEqual(paused)
    await sources.remove('s-1', 2, trail('source.deleted'))
    expect(await published('s-1')).toEqual({ ...document, version: 3, status: 'deleted' })
    const { rows } = await new Audit(database).list({ subject: 'source', limit: 10 })
    expect(rows.map(({ action }) => action)).toEqual(['source.deleted', 'source.updated', 'source.created'])
  })

  it('makes no version of no change, and changes nothing at a version that is gone', async () => {
    await sources.insert({ id: 's-2', definition }, trail('source.created'))
    expect((await sources.change('s-2', undefined, () => ({}), trail('nothing')))?.version).toBe(1)
    const change = sources.change('s-2', 7, () => ({ status: 'paused' }), trail('nothing'))
    await expect(change).rejects.toThrow(VersionConflict)
    await expect(sources.remove('s-2', 7, trail('nothing'))).rejects.toThrow(VersionConflict)
    expect((await sources.get('s-2'))?.status).toBe('active')
  })

  it('knows nothing of what is deleted or never was', async () => {
    await sources.insert({ id: 's-3', definition }, trail('source.created'))
    await sources.remove('s-3', undefined, trail('source.deleted'))
    for (const id of ['s-3', 'never']) {
      expect(await sources.get(id)).toBeUndefined()
      expect(await sources.change(id, undefined, () => ({ status: 'paused' }), trail('nothing'))).toBeUndefined()
      expect(await sources.remove(id, undefined, trail('nothing'))).toBeUndefined()
    }
    const { rows } = await sources.list(10, undefined)
    expect(rows.map(row => row.id)).not.toContain('s-3')
  })

  it('lets two changes at once happen one after the other', async () => {
    await sources.insert({ id: 's-4', definition }, trail('source.created'))
    const both = [
      sources.change('s-4', undefined, row => ({ definition: { ...row.definition, value: 'bytes' } }), trail('t')),
      sources.change('s-4', undefined, () => ({ status: 'paused' }), trail('t')),
    ]
    expect((await Promise.all(both)).map(row => row?.version).sort()).toEqual([2, 3])
    expect(await sources.get('s-4')).toMatchObject({ status: 'paused', definition: { value: 'bytes' } })
  })
})

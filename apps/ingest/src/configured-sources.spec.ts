import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readSettings, SettingsError } from '@posthorn/process'
import { configuredSources } from './configured-sources.js'

const orders = { id: 'orders', topic: 'orders', event: { tenant: 'acme', type: 'order.created' } }
const read = (env: Record<string, string>) => configuredSources(readSettings(env))

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    read(env)
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
}

let folder: string

beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'sources-'))))
afterAll(() => rmSync(folder, { recursive: true }))

describe('the sources of the environment', () => {
  it('are none unless set', () => {
    expect(read({})).toEqual([])
    expect(read({ POSTHORN_INGEST_SOURCES: '[]' })).toEqual([])
  })

  it('come from the variable or from a file', () => {
    const wanted = [
      {
        id: 'orders',
        version: 0,
        status: 'active',
        topic: 'orders',
        value: 'json',
        start: 'latest',
        event: { tenant: { constant: 'acme' }, type: { constant: 'order.created' } },
      },
    ]
    expect(read({ POSTHORN_INGEST_SOURCES: JSON.stringify([orders]) })).toEqual(wanted)
    const path = join(folder, 'sources.json')
    writeFileSync(path, JSON.stringify([orders]))
    expect(read({ POSTHORN_INGEST_SOURCES_FILE: path })).toEqual(wanted)
    expect(problemsOf({ POSTHORN_INGEST_SOURCES_FILE: path, POSTHORN_INGEST_SOURCES: '[]' })).toHaveLength(1)
    expect(problemsOf({ POSTHORN_INGEST_SOURCES_FILE: `${path}.no` })[0]).toContain('ENOENT')
  })

  it('refuse the start by index and field, all faults at once', () => {
    const sources = [
      { ...orders, event: { tenant: 'acme' } },
      { ...orders, id: 'b', topic: 'posthorn.events.v1' },
      { ...orders, id: 'source_1' },
      { topic: 'a', event: orders.event, colour: 'red' },
      7,
      { ...orders, id: 'c' },
      { ...orders, id: 'c' },
      { ...orders, id: 'd', topic: undefined, pattern: '[' },
    ]
    const at = problemsOf({ POSTHORN_INGEST_SOURCES: JSON.stringify(sources) }).map(problem => problem.split(' ')[1])
    expect(at).toEqual(['/0/event/type', '/1/topic', '/2/id', '/3/id', '/3/colour', '/4', '/6/id', '/7/pattern'])
  })

  it('refuse topics of Posthorn also where they have no prefix', () => {
    const env = { POSTHORN_KAFKA_PREFIX: '', POSTHORN_INGEST_SOURCES: JSON.stringify([{ ...orders, topic: 'due.v1' }]) }
    expect(problemsOf(env)).toEqual([expect.stringContaining("/0/topic must not be one of Posthorn's own topics")])
  })

  it.each(['{', '{}', 'null', '"orders"', '7'])('are refused when they are %s', text => {
    expect(problemsOf({ POSTHORN_INGEST_SOURCES: text })).toHaveLength(1)
  })
})

import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { readSettings, SETTING_DESCRIPTIONS, SettingsError } from './settings.js'

const problemsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readSettings(env)
    return []
  } catch (error) {
    return (error as SettingsError).problems
  }
}

describe('settings', () => {
  it('has a default for everything', () => {
    const settings = readSettings({})
    expect(settings.kafkaBrokers).toEqual(['127.0.0.1:9092'])
    expect(settings.registryPort).toBe(8080)
    expect(settings.databaseUrl).toBeUndefined()
  })

  it('reads numbers and lists, and ignores what is not ours', () => {
    const settings = readSettings({
      POSTHORN_KAFKA_BROKERS: 'a:1, b:2',
      POSTHORN_INGEST_PORT: '0',
      POSTHORN_TRACE_RATIO: '0.01',
      HOME: '/',
    })
    expect(settings.kafkaBrokers).toEqual(['a:1', 'b:2'])
    expect(settings.ingestPort).toBe(0)
    expect(settings.traceRatio).toBe(0.01)
  })

  it('takes an empty variable for one that is not set, except where empty means something', () => {
    const settings = readSettings({ POSTHORN_INGEST_PORT: '', POSTHORN_INGEST_DEFAULT_TENANT: '' })
    expect(settings.ingestPort).toBe(8081)
    expect(settings.ingestDefaultTenant).toBe('')
  })

  it('names every variable at fault, not only the first', () => {
    const problems = problemsOf({
      POSTHORN_KAFKA_BROKERS: 'nohost',
      POSTHORN_REGISTRY_PORT: 'http',
      POSTHORN_SEALING_KEYS: 'k1:short',
      POSTHORN_AUTH_PLATFORM_KEY: 'short',
    })
    for (const variable of ['KAFKA_BROKERS', 'REGISTRY_PORT', 'SEALING_KEYS', 'AUTH_PLATFORM_KEY'])
      expect(problems.some(problem => problem.startsWith(`POSTHORN_${variable}: `))).toBe(true)
  })

  it('refuses a misspelt variable', () => {
    expect(problemsOf({ POSTHORN_KAFKA_BROKER: 'a:1' })).toEqual([expect.stringContaining('POSTHORN_KAFKA_BROKER')])
  })

  it('is what docs/configuration.md says, line by line', () => {
    const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')
    const table = page
      .split('\n')
      .filter(line => line.startsWith('| `POSTHORN_'))
      .map(line => line.split('|').map(cell => cell.trim().replaceAll('`', '')))
      .map(([, variable, byDefault, meaning]) => ({ variable, default: byDefault, meaning }))
    expect(
      table.filter(
        row => !row.variable?.startsWith('POSTHORN_EMBEDDED_') && !row.variable?.startsWith('POSTHORN_RECEIVER_'),
      ),
    ).toEqual(SETTING_DESCRIPTIONS)
  })
})

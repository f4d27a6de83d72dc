import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { createAuthority } from '@posthorn/testkit'
import { readSettings, SettingsError } from './read-settings.js'
import { SETTING_DESCRIPTIONS } from './setting.js'

const problemsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readSettings(env)
    return []
  } catch (error) {
    return (error as SettingsError).problems
  }
}

const THIS_FILE = import.meta.filename

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

  it.each(['10.0.0.0/33', '10.0.0', '::1/129', 'fe80::/x', 'proxy', '/8'])('S7 %s is no proxy to trust', proxies => {
    expect(problemsOf({ POSTHORN_TRUSTED_PROXIES: proxies })).toEqual([
      'POSTHORN_TRUSTED_PROXIES: each must be an address or a CIDR such as 10.0.0.0/8.',
    ])
    expect(problemsOf({ POSTHORN_TRUSTED_PROXIES: '10.0.0.1,192.168.0.0/16,::1,2001:db8::/32' })).toEqual([])
  })

  it.each([
    [{ POSTHORN_KAFKA_SASL_MECHANISM: 'PLAIN' }, ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD']],
    [{ POSTHORN_KAFKA_SASL_USERNAME: 'me' }, ['KAFKA_SASL_MECHANISM']],
    [
      {
        POSTHORN_KAFKA_SASL_MECHANISM: 'GSSAPI',
        POSTHORN_KAFKA_SASL_USERNAME: 'me',
        POSTHORN_KAFKA_SASL_PASSWORD: 'x',
      },
      ['KAFKA_SASL_MECHANISM'],
    ],
    [{ POSTHORN_KAFKA_TLS: 'true' }, ['KAFKA_TLS']],
    [{ POSTHORN_KAFKA_TLS_CA_FILE: 'ca.pem' }, ['KAFKA_TLS']],
    [{ POSTHORN_KAFKA_TLS: 'on', POSTHORN_KAFKA_TLS_CA_FILE: '/nowhere/ca.pem' }, ['KAFKA_TLS_CA_FILE']],
    [{ POSTHORN_KAFKA_TLS: 'on', POSTHORN_KAFKA_TLS_CA_FILE: THIS_FILE }, ['KAFKA_TLS_CA_FILE']],
    [
      { POSTHORN_KAFKA_TLS: 'on', POSTHORN_KAFKA_TLS_CERT_FILE: THIS_FILE },
      ['KAFKA_TLS_KEY_FILE', 'KAFKA_TLS_CERT_FILE'],
    ],
    [
      { POSTHORN_KAFKA_TLS: 'on', POSTHORN_KAFKA_TLS_KEY_FILE: '/nowhere' },
      ['KAFKA_TLS_CERT_FILE', 'KAFKA_TLS_KEY_FILE'],
    ],
    [{ POSTHORN_KAFKA_COMPRESSION: 'brotli' }, ['KAFKA_COMPRESSION']],
    [{ POSTHORN_KAFKA_SASL_PASSWORD_FILE: '/nowhere' }, ['KAFKA_SASL_PASSWORD_FILE']],
  ])('refuses %j by the variables at fault', (env, variables) => {
    const problems = problemsOf(env as Record<string, string>)
    expect(problems.map(problem => problem.slice(0, problem.indexOf(':')))).toEqual(variables.map(v => `POSTHORN_${v}`))
  })

  it('refuses the key of another certificate', () => {
    const authority = createAuthority('CA')
    const dir = mkdtempSync(join(tmpdir(), 'settings-'))
    const [cert, key] = ['cert.pem', 'key.pem'].map(name => join(dir, name)) as [string, string]
    const env = {
      POSTHORN_KAFKA_TLS: 'on',
      POSTHORN_KAFKA_TLS_CERT_FILE: cert,
      POSTHORN_KAFKA_TLS_KEY_FILE: key,
    }
    const mine = authority.issue('me')
    writeFileSync(cert, mine.cert)
    writeFileSync(key, mine.key)
    expect(readSettings(env).kafkaSecurity).toEqual({ tls: mine })
    writeFileSync(key, authority.issue('me').key)
    expect(problemsOf(env)).toEqual([expect.stringMatching(/^POSTHORN_KAFKA_TLS_KEY_FILE: is not the key/)])
    rmSync(dir, { recursive: true })
  })

  it('reads secrets from files, and refuses one that is given twice', () => {
    const dir = mkdtempSync(join(tmpdir(), 'settings-'))
    const path = join(dir, 'url')
    writeFileSync(path, 'postgres://a:b@c/d\n')
    const env = { POSTHORN_DATABASE_URL_FILE: path }
    expect(readSettings(env).databaseUrl).toBe('postgres://a:b@c/d')
    expect(problemsOf({ ...env, POSTHORN_DATABASE_URL: 'postgres://x/y' })).toEqual([
      expect.stringMatching(/^POSTHORN_DATABASE_URL_FILE: POSTHORN_DATABASE_URL is set, too/),
    ])
    writeFileSync(path, '\n')
    expect(problemsOf(env)).toEqual([expect.stringMatching(/^POSTHORN_DATABASE_URL_FILE: .* is empty/)])
    rmSync(dir, { recursive: true })
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

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect, type SecureVersion } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { credentials, loadPackageDefinition, type Client, type ServiceError } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics } from '@posthorn/kafka'
import { Health, readSettings, SettingsError, type RunningService } from '@posthorn/process'
import { createLogger } from '@posthorn/telemetry'
import { createAuthority, testBrokers, until } from '@posthorn/testkit'
import { protoPath } from 'grpc-health-check'
import { ingestService } from './service.js'

const dir = mkdtempSync(join(tmpdir(), 'posthorn-tls-'))
const file = (name: string) => join(dir, name)
const authority = createAuthority('servers')
const clients = createAuthority('clients')
const strangers = createAuthority('strangers')
const mine = clients.issue('a client')
const foreign = strangers.issue('a stranger')

const logger = createLogger('silent', 'test')
const plain = {
  POSTHORN_KAFKA_BROKERS: testBrokers().join(),
  POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
  POSTHORN_KAFKA_PARTITIONS: '1',
  POSTHORN_LISTEN_HOST: '127.0.0.1',
  POSTHORN_INGEST_PORT: '0',
  POSTHORN_INGEST_GRPC_PORT: '0',
  POSTHORN_AUTH_PLATFORM_KEY: 'a-platform-key-for-this-test',
}
const oneWay = { POSTHORN_TLS_CERT_FILE: file('cert'), POSTHORN_TLS_KEY_FILE: file('key') }
const mutual = { ...oneWay, POSTHORN_TLS_CLIENT_CA_FILE: file('ca'), POSTHORN_TLS_MIN_VERSION: '1.3' }

function serve(name: string): void {
  const { cert, key } = authority.issue(name, ['localhost'], ['127.0.0.1'])
  writeFileSync(file('cert'), cert)
  writeFileSync(file('key'), key)
}

function start(env: Record<string, string>): Promise<RunningService> {
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const fatal = (error: Error) => {
    throw error
  }
  return ingestService.start({ settings: readSettings({ ...plain, ...env }), logger, health, fatal })
}

let open: RunningService
let closed: RunningService

beforeAll(async () => {
  serve('first')
  writeFileSync(file('ca'), clients.ca)
  const connection = new KafkaConnection(kafkaOptionsFrom(readSettings(plain), logger, 'tls-test'))
  await createTopics(connection, await planTopics(connection))
  open = await start(oneWay)
  closed = await start(mutual)
  // What they know of tenants, keys and types is read first.
  const serves = async (answer: Promise<unknown>) => ((await answer) as { status?: string }).status === 'SERVING'
  await until(async () => (await serves(check(open))) && (await serves(check(closed, mine))), 40_000)
}, 60_000)
afterAll(async () => {
  await Promise.all([open?.stop(), closed?.stop()])
  rmSync(dir, { recursive: true })
}, 30_000)

interface Shows {
  readonly cert?: string
  readonly key?: string
  readonly maxVersion?: SecureVersion
}

/** The status of a request, or the code of its failure. */
function over(service: RunningService, client: Shows = {}): Promise<number | string> {
  const [host, port] = service.addresses.http!.split(':')
  return new Promise(resolve => {
    request({ host, port, path: '/openapi.json', ca: authority.ca, agent: false, ...client }, response =>
      response.resume().once('end', () => resolve(response.statusCode!)),
    )
      .once('error', error => resolve(String((error as NodeJS.ErrnoException).code)))
      .end()
  })
}

type HealthClient = Client & {
  Check(request: object, done: (error: ServiceError | null, answer: object) => void): void
}

/** The health of the gRPC server, or the code of the failure. */
function check(service: RunningService, client: Shows = {}): Promise<unknown> {
  const { grpc } = loadPackageDefinition(loadSync(protoPath, { enums: String })) as unknown as {
    grpc: { health: { v1: { Health: new (address: string, creds: unknown) => HealthClient } } }
  }
  const buffers = client.cert === undefined ? [] : [Buffer.from(client.key!), Buffer.from(client.cert)]
  const creds = credentials.createSsl(Buffer.from(authority.ca), ...buffers)
  const stub = new grpc.health.v1.Health(service.addresses.grpc!, creds)
  return new Promise(resolve =>
    stub.Check({}, (error, answer) => {
      stub.close()
      resolve(error ? error.code : answer)
    }),
  )
}

/** The name in the certificate that is shown. */
function shown(address: string): Promise<string> {
  const [host, port] = address.split(':')
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), ca: authority.ca, ALPNProtocols: ['h2', 'http/1.1'] }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    }).once('error', reject)
  })
}

describe('S7 TLS of the APIs', () => {
  it('is what HTTP and gRPC speak, and nothing plain', async () => {
    expect(await over(open)).toBe(200)
    expect(await check(open)).toMatchObject({ status: 'SERVING' })
    await expect(fetch(`http://${open.addresses.http}/openapi.json`)).rejects.toThrow()
  })

  it('lets in clients with a certificate of the right CA alone', async () => {
    expect(await over(closed, mine)).toBe(200)
    expect(await check(closed, mine)).toMatchObject({ status: 'SERVING' })
    for (const client of [{}, foreign]) {
      expect(typeof (await over(closed, client))).toBe('string')
      expect(await check(closed, client)).toBe(14)
    }
  })

  it('is 1.2 at least, and 1.3 where that is set', async () => {
    expect(await over(open, { maxVersion: 'TLSv1.2' })).toBe(200)
    expect(typeof (await over(open, { maxVersion: 'TLSv1.1' }))).toBe('string')
    expect(typeof (await over(closed, { ...mine, maxVersion: 'TLSv1.2' }))).toBe('string')
    const [host, port] = closed.addresses.grpc!.split(':')
    const old = connect({ host, port: Number(port), ca: authority.ca, maxVersion: 'TLSv1.2', ...mine })
    expect(
      await new Promise(resolve => old.once('error', () => resolve('refused')).once('secureConnect', resolve)),
    ).toBe('refused')
  })

  it('shows a certificate that was renewed, of HTTP and gRPC, and never one without its key', async () => {
    expect([await shown(open.addresses.http!), await shown(open.addresses.grpc!)]).toEqual(['first', 'first'])
    // Half of a renewal.
    writeFileSync(file('cert'), authority.issue('half', ['localhost'], ['127.0.0.1']).cert)
    process.emit('SIGHUP')
    expect(await over(open)).toBe(200)
    expect(await shown(open.addresses.http!)).toBe('first')
    serve('second')
    process.emit('SIGHUP')
    expect([await shown(open.addresses.http!), await shown(open.addresses.grpc!)]).toEqual(['second', 'second'])
    serve('third')
    await until(async () => (await shown(open.addresses.http!)) === 'third', 40_000)
    expect(await over(closed, mine)).toBe(200)
    expect(typeof (await over(closed))).toBe('string')
  })

  it.each([
    ['a key alone', { POSTHORN_TLS_KEY_FILE: file('key') }, 'POSTHORN_TLS_CERT_FILE: is needed'],
    ['a client CA alone', { POSTHORN_TLS_CLIENT_CA_FILE: file('ca') }, 'POSTHORN_TLS_CERT_FILE: is needed'],
    ['no such file', { ...oneWay, POSTHORN_TLS_CERT_FILE: file('none') }, 'POSTHORN_TLS_CERT_FILE: cannot read'],
    ['another key', { ...oneWay, POSTHORN_TLS_CERT_FILE: file('ca') }, 'POSTHORN_TLS_KEY_FILE: is not the key'],
    ['no PEM', { ...oneWay, POSTHORN_TLS_CLIENT_CA_FILE: import.meta.filename }, 'POSTHORN_TLS_CLIENT_CA_FILE: '],
  ])('%s is refused at the start', (_what, env, problem) => {
    try {
      readSettings(env)
    } catch (error) {
      expect((error as SettingsError).problems).toEqual([expect.stringContaining(problem)])
      return
    }
    throw new Error('it was taken')
  })
})

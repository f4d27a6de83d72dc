import type { AddressInfo, Socket } from 'node:net'
import { createServer, type Server, type TlsOptions, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { createAuthority } from '@posthorn/testkit'
import { Egress, type EgressRequest } from './egress.js'
import { RequestTls } from './trust.js'

const deployment = createAuthority('Deployment CA')
const clients = createAuthority('Clients CA')
const own = createAuthority('CA of one receiver')
const egress = Egress.from({
  allow: ['127.0.0.0/8'],
  deny: [],
  ports: ['1024-65535'],
  minTlsVersion: '1.2',
  ca: deployment.ca,
  sockets: 32,
  userAgent: 'test',
  keptBytes: 1024,
  headerBytes: 16_384,
  steps: { dns: 60_000, connect: 60_000, tls: 60_000, firstByte: 60_000 },
})
const servers: Server[] = []
const sockets = new Set<Socket>()

/** Who came over which connection. */
interface Visit {
  readonly client: string | undefined
  readonly port: number | undefined
}

/** Takes anybody unless told otherwise, and keeps connections open. */
async function receiver(options: TlsOptions): Promise<{ url: string; visits: Visit[] }> {
  const visits: Visit[] = []
  const server = createServer({ requestCert: true, rejectUnauthorized: false, ca: clients.ca, ...options })
  server.on('tlsClientError', () => {})
  server.on('secureConnection', (socket: TLSSocket) => {
    const { subject } = socket.getPeerCertificate()
    socket
      .on('error', () => {})
      .on('data', () => {
        visits.push({ client: subject?.CN as string | undefined, port: socket.remotePort })
        socket.write('HTTP/1.1 204 No Content\r\n\r\n')
      })
  })
  server.on('connection', (socket: Socket) => sockets.add(socket))
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`, visits }
}

const certified = (owner: string, { cert, key }: { cert: string; key: string }, ca?: string) =>
  new RequestTls(owner, { certificate: cert, key, ...(ca === undefined ? {} : { ca }) })
const send = (url: string, more: Partial<EgressRequest> = {}) =>
  egress.send({ url, method: 'POST', headers: {}, body: Buffer.from('{}'), timeoutMs: 60_000, ...more })
const good = deployment.issue('good', [], ['127.0.0.1'])

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  for (const server of servers.splice(0)) await new Promise(resolve => server.close(resolve))
})
afterAll(() => egress.close())

it('says when the certificate of the receiver ends, also of a connection that is used again', async () => {
  const end = Math.floor(Date.now() / 1000) * 1000 + 30 * 60_000
  const { url, visits } = await receiver(deployment.issue('short', [], ['127.0.0.1'], end))
  for (let n = 0; n < 2; n++) expect(await send(url)).toMatchObject({ status: 204, certificateExpiresAt: end })
  expect(visits[1]).toEqual(visits[0])
})

describe('S7 a client certificate', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is shown over %s to a receiver that demands it', async maxVersion => {
    const { url, visits } = await receiver({ ...good, maxVersion, rejectUnauthorized: true })
    const tls = certified('a', clients.issue('posthorn-a'))
    expect(await send(url, { tls })).toMatchObject({ status: 204 })
    expect(visits).toEqual([{ client: 'posthorn-a', port: expect.any(Number) }])
  })

  it.each<[string, RequestTls]>([
    ['of another CA', certified('a', own.issue('stranger'))],
    ['that has expired', certified('a', clients.issue('old', [], [], Date.now() - 60_000))],
  ])('%s is refused, and the cause says so', async (_what, tls) => {
    const { url, visits } = await receiver({ ...good, rejectUnauthorized: true })
    // Node as a server asks for one, takes any and hangs up: OpenSSL itself sends the alerts of a receiver.
    const result = await send(url, { tls })
    expect(result).toMatchObject({ kind: 'failed', cause: expect.stringMatching(/^(client_certificate|reset)$/) })
    expect(visits).toEqual([])
  })

  it('belongs to one webhook: no other, and none that has it no more, uses its connections or sessions', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { url, visits } = await receiver({ ...good, maxVersion })
      const pair = clients.issue('posthorn-a')
      for (const tls of [certified('a', pair), certified('a', pair), certified('b', pair), undefined])
        expect(await send(url, tls ? { tls } : {})).toMatchObject({ status: 204 })
      const [first, again, other, plain] = visits
      expect(again).toEqual(first)
      expect(other).toMatchObject({ client: 'posthorn-a' })
      expect(other!.port).not.toBe(first!.port)
      expect(plain!.client).toBeUndefined()
    }
  })

  it('must be that of its key', () => {
    const [one, other] = [clients.issue('one'), clients.issue('other')]
    expect(() => certified('a', { cert: one.cert, key: other.key })).toThrow()
  })
})

describe('S7 a CA of the webhook', () => {
  const theirs = own.issue('theirs', [], ['127.0.0.1'])

  it('lets its receiver be trusted, for this webhook alone', async () => {
    const { url } = await receiver(theirs)
    expect(await send(url, { tls: new RequestTls('a', { ca: own.ca }) })).toMatchObject({ status: 204 })
    expect(await send(url)).toMatchObject({ cause: 'certificate_untrusted' })
    expect(await send(url, { tls: new RequestTls('a', { ca: clients.ca }) })).toMatchObject({
      cause: 'certificate_untrusted',
    })
  })

  it('is the only one that is trusted then', async () => {
    const { url } = await receiver(good)
    expect(await send(url, { tls: new RequestTls('a', { ca: own.ca }) })).toMatchObject({
      cause: 'certificate_untrusted',
    })
    expect(await send(url, { tls: certified('a', clients.issue('c')) })).toMatchObject({ status: 204 })
  })

  it('stands beside a client certificate', async () => {
    const { url, visits } = await receiver({ ...theirs, rejectUnauthorized: true })
    expect(await send(url, { tls: certified('a', clients.issue('c'), own.ca) })).toMatchObject({ status: 204 })
    expect(visits).toMatchObject([{ client: 'c' }])
  })

  it('that expired trusts nobody', async () => {
    const old = createAuthority('Old CA', Date.now() - 60_000)
    const { url } = await receiver(old.issue('x', [], ['127.0.0.1']))
    expect(await send(url, { tls: new RequestTls('a', { ca: old.ca }) })).toMatchObject({
      cause: 'certificate_expired',
    })
  })
})

import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTls, type TlsOptions } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { createAuthority } from '@posthorn/testkit'
import { judge } from '@posthorn/webhook'
import { Egress, type EgressOptions, type EgressRequest, type EgressResult } from './egress.js'

const authority = createAuthority('Test CA')
/** Of those who never end. */
const TIMEOUT_MS = 1_500
/** Of the others, who are not to be cut off by a busy machine. */
const PATIENT_MS = 30_000
/** Without a bound it would be for ever. */
const BOUNDED_MS = 20_000
const MIB = 2 ** 20

const doors: Egress[] = []
function door(options: Partial<EgressOptions> = {}): Egress {
  const made = Egress.from({
    allow: ['127.0.0.0/8'],
    deny: [],
    ports: ['1024-65535'],
    minTlsVersion: '1.2',
    ca: authority.ca,
    sockets: 8,
    userAgent: 'test',
    keptBytes: 16_384,
    headerBytes: 16_384,
    steps: { dns: 30_000, connect: 30_000, tls: 30_000, firstByte: 60_000 },
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    ...options,
  })
  doors.push(made)
  return made
}
const egress = door()

const servers: { readonly server: Server; readonly sockets: Set<Socket> }[] = []
async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {})
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  servers.push({ server, sockets })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
/** Answers the first bytes of each connection. */
const plain = (answer: (socket: Socket) => void) =>
  listen(createTcp(socket => socket.on('error', () => {}).once('data', () => answer(socket))))

function secure(options: TlsOptions): Promise<number> {
  const server = createTls(options, socket =>
    socket.on('error', () => {}).once('data', () => socket.end('HTTP/1.1 204 No Content\r\n\r\n')),
  )
  server.on('tlsClientError', () => {})
  return listen(server)
}

const send = (url: string, more: Partial<EgressRequest> = {}, by = egress) =>
  by.send({ url, method: 'POST', headers: {}, body: Buffer.from('{}'), timeoutMs: PATIENT_MS, ...more })

/** Writes for as long as the other side takes it; says how much that was. */
function flood(socket: Socket, chunk: Buffer | string): { bytes: number } {
  const sent = { bytes: 0 }
  const more = () => {
    // In turns, or the receiver would hold the event loop that both sides of this test share.
    for (let n = 0; n < 16 && !socket.destroyed; n++) {
      sent.bytes += chunk.length
      if (!socket.write(chunk)) return
    }
    if (!socket.destroyed) setImmediate(more)
  }
  socket.on('drain', more)
  more()
  return sent
}

/** A failure whose sentence names one of the ways out. */
function failure(result: EgressResult, cause: string, advice: RegExp): void {
  expect(result).toMatchObject({ kind: 'failed', cause })
  const verdict = judge(result, Date.now())
  expect(verdict).toMatchObject({ kind: 'failure', advice: expect.stringMatching(advice) })
  expect(result.durationMs).toBeLessThan(BOUNDED_MS)
}

afterEach(async () => {
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  }
})
afterAll(() => Promise.all(doors.map(one => one.close())))

describe('S7 receivers that mean harm are bounded in time and memory', () => {
  it.each([
    ['headers', 'HTTP/1.1 200 OK\r\n', 'x-a: b\r\n'],
    ['one header', 'HTTP/1.1 200 OK\r\nx: ', 'y'.repeat(1024)],
    ['a header name', 'HTTP/1.1 200 OK\r\n', 'y'.repeat(1024)],
    ['a reason', 'HTTP/1.1 200 ', 'O'.repeat(1024)],
    ['trailers', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n', 'x-a: b\r\n'],
    ['informational answers', '', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'],
    ['a chunk extension', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;', 'x'.repeat(1024)],
  ])('that never ends %s', async (_what, head, chunk) => {
    const floods: { bytes: number }[] = []
    const port = await plain(socket => {
      socket.write(head)
      floods.push(flood(socket, chunk))
    })
    const before = process.memoryUsage().rss
    const result = await send(`http://127.0.0.1:${port}/`, { timeoutMs: TIMEOUT_MS })
    expect(result).toMatchObject({ kind: 'failed', cause: expect.stringMatching(/^(protocol|timeout|reset)$/) })
    expect(result.durationMs).toBeLessThan(BOUNDED_MS)
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * MIB)
    const { bytes } = floods[0]!
    await new Promise(resolve => setTimeout(resolve, 200))
    // Nothing is read any more: the connection is closed.
    expect(floods[0]!.bytes).toBeLessThanOrEqual(bytes + MIB)
  })

  it('that answers 1 GB: the status counts, and next to nothing is read', async () => {
    let sent = { bytes: 0 }
    const port = await plain(socket => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${2 ** 30}\r\n\r\n`)
      sent = flood(socket, Buffer.alloc(65_536, 120))
    })
    const before = process.memoryUsage().rss
    const result = await send(`http://127.0.0.1:${port}/`)
    expect(result).toMatchObject({ kind: 'response', status: 200 })
    expect(result.responseBody!.length).toBeLessThanOrEqual(16 * 1024)
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * MIB)
    expect(sent.bytes).toBeLessThan(64 * MIB)
  })

  it('that answers a zip bomb: it is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MIB))
    const port = await plain(socket => {
      socket.write(`HTTP/1.1 500 Oh\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`)
      socket.write(bomb)
    })
    const before = process.memoryUsage().rss
    const result = await send(`http://127.0.0.1:${port}/`)
    expect(result).toMatchObject({ kind: 'response', status: 500 })
    expect(result.responseBody).toBeUndefined()
    expect(process.memoryUsage().rss - before).toBeLessThan(48 * MIB)
  })

  it.each(['HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n', 'HTTP/1.1 200 OK\r\nx: ', ''])(
    'that answers a byte now and then after %j: by the time-out of the whole',
    async head => {
      const port = await plain(socket => {
        socket.write(head)
        const drip = setInterval(() => socket.write('H'), 100)
        socket.on('close', () => clearInterval(drip))
      })
      // "HHH…" is found out to be no HTTP before the time is over.
      const timeoutMs = head === '' ? PATIENT_MS : TIMEOUT_MS
      const result = await send(`http://127.0.0.1:${port}/`, { timeoutMs })
      if (head === '') failure(result, 'protocol', /valid HTTP/)
      else failure(result, 'timeout', /Answer 2xx first/)
    },
  )

  it('that resets the connection', async () => {
    const port = await plain(socket => socket.resetAndDestroy())
    failure(await send(`http://127.0.0.1:${port}/`), 'reset', /drop a webhook-id/)
  })

  it('that never goes on with its TLS handshake', async () => {
    const port = await listen(createTcp(() => {}))
    failure(
      await send(`https://127.0.0.1:${port}/`, { timeoutMs: TIMEOUT_MS }),
      'tls_timeout',
      /speaks TLS on this port/,
    )
  })
})

describe('S7 TLS is checked, and what is wrong with it is said', () => {
  const good = authority.issue('good.example', ['good.example'], ['127.0.0.1'])

  it('takes a receiver that is as it should be, by address and by name, and says which TLS it was', async () => {
    const port = await secure(good)
    for (const host of ['127.0.0.1', 'good.example'])
      expect(await send(`https://${host}:${port}/`)).toMatchObject({
        status: 204,
        tlsVersion: 'TLSv1.3',
        remoteAddress: '127.0.0.1',
        phases: { connectMs: expect.any(Number), tlsMs: expect.any(Number), waitMs: expect.any(Number) },
      })
  })

  it('refuses a certificate that has expired', async () => {
    const port = await secure(authority.issue('old', ['good.example'], ['127.0.0.1'], Date.now() - 60_000))
    failure(await send(`https://good.example:${port}/`), 'certificate_expired', /Renew it/)
  })

  it('refuses a certificate of another name', async () => {
    const port = await secure(good)
    failure(await send(`https://other.example:${port}/`), 'certificate_name', /another host name/)
  })

  it('refuses a certificate of nobody, and one of a CA that is not known', async () => {
    const port = await secure(createAuthority('Foreign CA').issue('good.example', ['good.example']))
    failure(await send(`https://good.example:${port}/`), 'certificate_untrusted', /POSTHORN_EGRESS_CA_FILE/)
    const strict = door({ ca: undefined } as Partial<EgressOptions>)
    const own = await secure(good)
    failure(await send(`https://good.example:${own}/`, {}, strict), 'certificate_untrusted', /intermediate/)
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    try {
      failure(await send(`https://good.example:${own}/`, {}, strict), 'certificate_untrusted', /public CA/)
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
    }
  })

  it.each([
    ['1.0', 'TLSv1'],
    ['1.1', 'TLSv1.1'],
  ] as const)('refuses TLS %s', async (_name, version) => {
    // OpenSSL makes no signature for versions as old as these at its usual level of security.
    const port = await secure({ ...good, minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' })
    failure(await send(`https://good.example:${port}/`), 'tls_version', /TLS 1\.2 or 1\.3/)
  })

  it('asks for TLS 1.3 where the webhook or the deployment does, also after an older connection was made', async () => {
    const port = await secure({ ...good, maxVersion: 'TLSv1.2' })
    const url = `https://good.example:${port}/`
    expect(await send(url)).toMatchObject({ status: 204, tlsVersion: 'TLSv1.2' })
    failure(await send(url, { minTlsVersion: '1.3' }), 'tls_version', /min_tls_version/)
    expect(await send(url, { minTlsVersion: '1.2' })).toMatchObject({ status: 204 })
    failure(await send(url, { minTlsVersion: '1.2' }, door({ minTlsVersion: '1.3' })), 'tls_version', /min_tls_version/)
  })
})

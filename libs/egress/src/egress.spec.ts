import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { until } from '@posthorn/testkit'
import { Egress, type EgressRequest } from './egress.js'

const PATIENT_MS = 60_000
/** And yet enough for the steps before, on a busy machine. */
const SHORT_MS = 1_200

const options = {
  allow: ['127.0.0.0/8', '::1/128'],
  deny: [],
  ports: ['1024-65535', '80'],
  minTlsVersion: '1.2',
  sockets: 8,
  userAgent: 'Posthorn/test',
  keptBytes: 16_384,
  headerBytes: 16_384,
  steps: { dns: 30_000, connect: 30_000, tls: 30_000, firstByte: 60_000 },
} as const
const egress = Egress.from(options)
const servers: { server: Server; sockets: Set<Socket> }[] = []

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {})
    sockets.add(socket)
  })
  servers.push({ server, sockets })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
const http = (handler: RequestListener) => listen(createHttp(handler))
const tcp = (handler: (socket: Socket) => void) => listen(createTcp(handler))

function send(port: number, more: Partial<EgressRequest> = {}) {
  return egress.send({
    url: `http://127.0.0.1:${port}/hook?a=b`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{"n":1}'),
    timeoutMs: PATIENT_MS,
    ...more,
  })
}

afterEach(async () => {
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  }
})
afterAll(() => egress.close())

describe('S4 a request', () => {
  it('arrives as it was given, and its answer comes back', async () => {
    let seen: unknown
    const port = await http((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        seen = { url: request.url, method: request.method, headers: request.headers, body: Buffer.concat(chunks) }
        response.writeHead(201, { 'retry-after': '7' }).end('tha\u0000nks')
      })
    })
    const result = await send(port)
    expect(result).toMatchObject({
      kind: 'response',
      status: 201,
      retryAfter: '7',
      responseBody: 'tha\ufffdnks',
      remoteAddress: '127.0.0.1',
      phases: { connectMs: expect.any(Number), waitMs: expect.any(Number), readMs: expect.any(Number) },
    })
    expect(result.durationMs).toBeGreaterThan(0)
    expect(Object.keys((await send(port)).phases!)).toEqual(['waitMs', 'readMs'])
    expect(seen).toEqual({
      url: '/hook?a=b',
      method: 'POST',
      headers: {
        host: `127.0.0.1:${port}`,
        connection: 'keep-alive',
        'user-agent': 'Posthorn/test',
        'content-type': 'application/json',
        'content-length': '7',
      },
      body: Buffer.from('{"n":1}'),
    })
  })

  it('is not redirected', async () => {
    let hits = 0
    const port = await http((_request, response) => {
      hits++
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    expect(await send(port)).toMatchObject({ kind: 'response', status: 302 })
    expect(hits).toBe(1)
  })

  it('uses a connection again', async () => {
    const ports = new Set<number>()
    const port = await http((request, response) => {
      ports.add(request.socket.remotePort!)
      response.end('ok')
    })
    for (let i = 0; i < 3; i++) expect(await send(port)).toMatchObject({ status: 200 })
    expect(ports.size).toBe(1)
  })

  it('keeps no more connections than it may, however many receivers there are', async () => {
    const open = new Set<Socket>()
    const ports: number[] = []
    for (let i = 0; i < 12; i++) {
      const server = createHttp((_request, response) => void response.end())
      server.on('connection', (socket: Socket) => {
        open.add(socket)
        socket.on('close', () => open.delete(socket))
      })
      ports.push(await listen(server))
    }
    for (const port of ports) expect(await send(port)).toMatchObject({ status: 200 })
    await until(
      () => open.size <= 8,
      10_000,
      () => `${open.size} connections are open`,
    )
    expect(open.size).toBeGreaterThan(0)
  })

  it('is sent once also on a kept connection that is closed before an answer: the receiver may have it', async () => {
    // Closes without an answer whenever a connection carries its second request.
    let requests = 0
    const port = await tcp(socket => {
      let first = true
      socket.on('data', () => {
        requests++
        if (!first) return socket.destroy()
        first = false
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      })
    })
    expect(await send(port)).toMatchObject({ status: 200 })
    expect(await send(port)).toMatchObject({ kind: 'failed', cause: 'reset' })
    expect(await send(port)).toMatchObject({ status: 200 })
    expect(requests).toBe(3)
  })

  it('that is given up rejects with the reason', async () => {
    const port = await http(() => {})
    const abort = new AbortController()
    const sent = send(port, { signal: abort.signal })
    setTimeout(() => abort.abort(new Error('shutting down')), 30)
    await expect(sent).rejects.toThrow('shutting down')
  })
})

describe('S11 what a receiver does wrong is a value with its cause', () => {
  it('no answer: timeout', async () => {
    const port = await http(() => {})
    const result = await send(port, { timeoutMs: SHORT_MS })
    expect(result).toMatchObject({ kind: 'failed', cause: 'timeout', detail: expect.stringContaining('1200 ms') })
    expect(result.durationMs).toBeGreaterThan(SHORT_MS - 10)
    // Without it, it would last for ever.
    expect(result.durationMs).toBeLessThan(PATIENT_MS)
  })

  it('a body that drips for ever: timeout for the whole request', async () => {
    const port = await http((_request, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write('.'), 20)
      response.on('close', () => clearInterval(drip))
    })
    expect(await send(port, { timeoutMs: SHORT_MS })).toMatchObject({ kind: 'failed', cause: 'timeout' })
  })

  it('a TLS handshake that never goes on: tls_timeout', async () => {
    const port = await tcp(() => {})
    expect(await send(port, { url: `https://127.0.0.1:${port}/`, timeoutMs: SHORT_MS })).toMatchObject({
      cause: 'tls_timeout',
    })
  })

  it('an endless body: the status counts, 16 KiB are kept, the rest is not read', async () => {
    let written = 0
    let closed: () => void
    const done = new Promise<void>(resolve => (closed = resolve))
    const port = await http((_request, response) => {
      response.writeHead(200)
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(8192))) written += 8192
      }
      response.on('drain', more).on('close', () => closed())
      more()
    })
    const result = await send(port)
    expect(result).toMatchObject({ kind: 'response', status: 200 })
    expect(result.responseBody).toHaveLength(16 * 1024)
    await done
    expect(written).toBeLessThan(32 * 1024 * 1024)
  })

  it.each([
    [0, 'x'.repeat(1000), undefined],
    [100, 'x'.repeat(1000), 100],
    [100_000, 'x'.repeat(90_000), 90_000],
  ])(
    'S10 of an answer %d bytes are kept, and a connection with a small one is used again',
    async (keptBytes, body, kept) => {
      const own = Egress.from({ ...options, keptBytes })
      const ports = new Set<number>()
      const port = await http((request, response) => {
        ports.add(request.socket.remotePort!)
        response.end(body)
      })
      const request = { url: `http://127.0.0.1:${port}/`, method: 'POST', headers: {}, body: Buffer.from('1') } as const
      for (let n = 0; n < 2; n++) {
        const { responseBody, ...result } = await own.send({ ...request, timeoutMs: PATIENT_MS })
        expect(result).toMatchObject({ kind: 'response', status: 200 })
        expect(responseBody?.length).toBe(kept)
      }
      expect(ports.size).toBe(1)
      await own.close()
    },
  )

  it('S10 headers of an answer may be larger where that is set', async () => {
    const port = await tcp(socket =>
      socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}\r\ncontent-length: 0\r\n\r\n`)),
    )
    const own = Egress.from({ ...options, headerBytes: 65_536 })
    const request = { url: `http://127.0.0.1:${port}/`, method: 'POST', headers: {}, body: Buffer.from('1') } as const
    expect(await own.send({ ...request, timeoutMs: PATIENT_MS })).toMatchObject({ kind: 'response', status: 200 })
    expect(await send(port)).toMatchObject({ kind: 'failed', cause: 'protocol' })
    await own.close()
  })

  it('nobody listens: connect', async () => {
    const port = await http(() => {})
    const { server } = servers.pop()!
    await new Promise(resolve => server.close(resolve))
    expect(await send(port)).toMatchObject({ kind: 'failed', cause: 'connect' })
  })

  it('an unknown host: dns', async () => {
    expect(await send(80, { url: 'http://no-such-host.invalid/', timeoutMs: PATIENT_MS })).toMatchObject({
      kind: 'failed',
      cause: 'dns',
    })
  }, 25_000)

  it('hangs up before an answer: reset', async () => {
    const port = await tcp(socket => socket.on('data', () => socket.resetAndDestroy()))
    expect(await send(port)).toMatchObject({ kind: 'failed', cause: 'reset' })
  })

  it('hangs up within the answer: reset', async () => {
    const port = await tcp(socket =>
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf')),
    )
    expect(await send(port)).toMatchObject({ kind: 'failed', cause: 'reset' })
  })

  it('speaks no HTTP: protocol', async () => {
    const port = await tcp(socket => socket.on('data', () => socket.end('220 smtp.example ESMTP\r\n')))
    expect(await send(port)).toMatchObject({ kind: 'failed', cause: 'protocol' })
  })

  it('answers an upgrade that was not asked for: protocol', async () => {
    const port = await tcp(socket =>
      socket.on('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      ),
    )
    expect(await send(port)).toMatchObject({ kind: 'failed', cause: 'protocol' })
  })

  it('sends huge headers: protocol', async () => {
    const port = await tcp(socket =>
      socket.on('data', () =>
        socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(64 * 1024)}\r\ncontent-length: 0\r\n\r\n`),
      ),
    )
    expect(await send(port)).toMatchObject({ kind: 'failed', cause: 'protocol' })
  })

  it('speaks plain HTTP where TLS is expected: tls', async () => {
    const port = await tcp(socket => socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
    expect(await send(port, { url: `https://127.0.0.1:${port}/` })).toMatchObject({ kind: 'failed', cause: 'tls' })
  })
})

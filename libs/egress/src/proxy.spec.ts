import { createServer as createHttp, type IncomingMessage } from 'node:http'
import { connect, createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTls } from 'node:tls'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createAuthority } from '@posthorn/testkit'
import type { Resolve } from './address-guard.js'
import { Egress, type EgressRequest } from './egress.js'
import { ProxyFailed } from './proxy.js'

const authority = createAuthority('CA of the receivers')
const theirs = authority.issue('hooks.test', ['hooks.test'])
const PATIENT_MS = 60_000
/** And yet enough to reach a proxy, on a busy machine. */
const SHORT_MS = 1_200
const ANSWER = 'HTTP/1.1 204 No Content\r\n\r\n'
const servers: { server: Server; sockets: Set<Socket> }[] = []
const doors: Egress[] = []
const names: Record<string, string[]> = {}
const resolve: Resolve = host => Promise.resolve(names[host]!.map(address => ({ address, family: 4 })))

afterEach(async () => {
  await Promise.all(doors.splice(0).map(door => door.close()))
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy()
    await new Promise(closed => server.close(closed))
  }
})

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  for (const event of ['connection', 'secureConnection'])
    server.on(event, (socket: Socket) => sockets.add(socket.on('error', () => undefined)))
  server.on('tlsClientError', () => undefined)
  servers.push({ server, sockets })
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
  return (server.address() as AddressInfo).port
}

/** Answers each request with 204 and keeps the connection; `heard` is what came. */
async function receiver(secure: boolean): Promise<{ port: number; heard: string[] }> {
  const heard: string[] = []
  const onSocket = (socket: Socket) =>
    socket
      .on('error', () => undefined)
      .on('data', chunk => {
        heard.push(chunk.toString())
        socket.write(ANSWER)
      })
  const server = secure ? createTls({ ...theirs }, onSocket) : createTcp(onSocket)
  return { port: await listen(server), heard }
}

interface TestProxy {
  readonly port: number
  /** Targets of CONNECT. */
  readonly asked: string[]
  readonly requests: IncomingMessage[]
}

type Connect = (socket: Socket, target: string, request: IncomingMessage) => void

/** A proxy that does as `onConnect` says; any other request it answers with 400. */
async function proxy(onConnect: Connect = pass): Promise<TestProxy> {
  const asked: string[] = []
  const requests: IncomingMessage[] = []
  const server = createHttp((_, response) => response.writeHead(400).end())
  server.on('connect', (request, socket) => {
    asked.push(request.url!)
    requests.push(request)
    onConnect(socket.on('error', () => undefined) as Socket, request.url!, request)
  })
  return { port: await listen(server), asked, requests }
}

const pass: Connect = (socket, target) => {
  const port = Number(target.split(':').at(-1))
  const onward = connect(port, '127.0.0.1', () => {
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    socket.pipe(onward).pipe(socket)
  })
  onward.on('error', () => socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n'))
  socket.on('close', () => onward.destroy())
}

function door(proxyPort: number, { login = '', except = [] as string[], step = PATIENT_MS } = {}): Egress {
  const egress = Egress.from({
    allow: ['127.0.0.0/8'],
    deny: [],
    ports: ['1-65535'],
    minTlsVersion: '1.2',
    ca: authority.ca,
    sockets: 8,
    userAgent: 'Posthorn/test',
    keptBytes: 1024,
    headerBytes: 16_384,
    steps: { dns: PATIENT_MS, connect: step, tls: PATIENT_MS, firstByte: PATIENT_MS },
    resolve,
    proxy: { url: `http://${login}127.0.0.1:${proxyPort}`, except },
  })
  doors.push(egress)
  return egress
}

const send = (egress: Egress, url: string, more: Partial<EgressRequest> = {}) =>
  egress.send({ url, method: 'POST', headers: {}, body: Buffer.from('{}'), timeoutMs: PATIENT_MS, ...more })

describe.each(['http', 'https'])('S7 through a proxy, an %s request', scheme => {
  const secure = scheme === 'https'

  it('goes to the address that was checked, and its connection is kept', async () => {
    names['hooks.test'] = ['127.0.0.1']
    const [{ port: at, asked }, { port, heard }] = [await proxy(), await receiver(secure)]
    const egress = door(at)
    const first = await send(egress, `${scheme}://hooks.test:${port}/hook`)
    expect(first).toMatchObject({ status: 204, remoteAddress: '127.0.0.1' })
    expect(Object.keys(first.phases!)).toEqual(['dnsMs', 'connectMs', ...(secure ? ['tlsMs'] : []), 'waitMs', 'readMs'])
    expect(first.tlsVersion).toBe(secure ? 'TLSv1.3' : undefined)
    // Another address meanwhile: the kept connection is where it was.
    names['hooks.test'] = ['10.0.0.1']
    expect(await send(egress, `${scheme}://hooks.test:${port}/hook`)).toMatchObject({ status: 204 })
    expect(asked).toEqual([`127.0.0.1:${port}`])
    expect(heard.map(text => text.split('\r\n')[1])).toEqual(Array(2).fill(`host: hooks.test:${port}`))
  })

  it('to an address that is not public does not even reach the proxy', async () => {
    const { port: at, asked } = await proxy()
    names['rebound.test'] = ['127.0.0.1', '10.0.0.1']
    for (const host of ['rebound.test', '169.254.169.254', '[::ffff:10.0.0.1]', '2130706433.test']) {
      names['2130706433.test'] = ['0.0.0.0']
      expect(await send(door(at), `${scheme}://${host}:8080/`)).toMatchObject({ cause: 'address_refused' })
    }
    expect(asked).toEqual([])
  })

  it('goes without it to the ranges that are excepted', async () => {
    names['own.test'] = ['127.0.0.1']
    const [{ port: at, asked }, { port }] = [await proxy(), await receiver(secure)]
    const egress = door(at, { except: ['127.0.0.0/8'] })
    const expected = secure ? { cause: 'certificate_name' } : { status: 204 }
    for (const host of ['own.test', '127.0.0.1'])
      expect(await send(egress, `${scheme}://${host}:${port}/`)).toMatchObject(expected)
    expect(asked).toEqual([])
  })

  it("that the proxy ends in the middle is the receiver's failure, as if it had ended it", async () => {
    names['hooks.test'] = ['127.0.0.1']
    const { port } = await receiver(secure)
    const { port: at } = await proxy((socket, target, request) => {
      pass(socket, target, request)
      // The head of an answer, or of a handshake, comes from the receiver: then it is cut.
      socket.on('data', () => setImmediate(() => socket.destroy()))
    })
    const cut = await send(door(at), `${scheme}://hooks.test:${port}/`)
    expect(cut).toMatchObject({ kind: 'failed', cause: expect.stringMatching(/^(reset|tls)$/) })
  })
})

describe('S7 a proxy', () => {
  it('does not end TLS: the certificate has to be that of the receiver', async () => {
    names['other.test'] = ['127.0.0.1']
    const [{ port: at }, { port, heard }] = [await proxy(), await receiver(true)]
    expect(await send(door(at), `https://other.test:${port}/`)).toMatchObject({ cause: 'certificate_name' })
    expect(heard).toEqual([])
  })

  it('gets the user and password that it asks for, and the receiver does not', async () => {
    const [{ port: at, requests }, { port, heard }] = [await proxy(), await receiver(false)]
    expect(await send(door(at, { login: 'me:p%40ss@' }), `http://127.0.0.1:${port}/`)).toMatchObject({ status: 204 })
    const expected = `Basic ${Buffer.from('me:p@ss').toString('base64')}`
    expect(requests[0]!.headers['proxy-authorization']).toBe(expected)
    expect(heard.join()).not.toMatch(/proxy-|Basic/i)
  })

  it.each([
    ['refuses', 'refused', 'HTTP/1.1 403 Forbidden\r\n\r\n', 'refuses to connect to 127.0.0.1:9 (403 Forbidden)'],
    ['asks for a login', 'authentication', 'HTTP/1.1 407 Login\r\n\r\n', 'no such user and password (407'],
    ['answers no HTTP', 'protocol', 'SSH-2.0-OpenSSH\r\n\r\n', 'answered no HTTP'],
    ['speaks for the receiver', 'protocol', `HTTP/1.1 200 OK\r\n\r\n${ANSWER}`, 'before anything was asked'],
    ['closes', 'closed', '', 'closed the connection without an answer'],
  ])('that %s is our failure: %s', async (_, fault, answer, words) => {
    const { port } = await proxy(socket => socket.end(answer))
    const failure = await send(door(port), 'http://127.0.0.1:9/').catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ProxyFailed)
    expect(failure).toMatchObject({ fault, message: expect.stringContaining(words) })
  })

  it('that is away is our failure', async () => {
    const server = createTcp()
    const port = await listen(server)
    await new Promise(closed => servers.pop()!.server.close(closed))
    await expect(send(door(port), 'http://127.0.0.1:9/')).rejects.toMatchObject({ fault: 'unreachable' })
  })

  it.each([
    ['the step of connecting', { timeoutMs: PATIENT_MS }, SHORT_MS],
    ['the whole request', { timeoutMs: SHORT_MS }, PATIENT_MS],
  ])('that answers nothing at all within %s is our failure', async (_, more, step) => {
    const port = await listen(createTcp())
    await expect(send(door(port, { step }), 'http://127.0.0.1:9/', more)).rejects.toMatchObject({ fault: 'silent' })
  })

  it('that waits for the receiver in vain is not: it answers others meanwhile', async () => {
    const { port } = await proxy(() => undefined)
    const sent = await send(door(port, { step: SHORT_MS }), 'http://127.0.0.1:9/')
    expect(sent).toMatchObject({ kind: 'failed', cause: 'connect_timeout' })
  })

  it.each([
    [503, 'connect'],
    [504, 'connect_timeout'],
  ])('that cannot connect to the receiver says so by %i: %s', async (status, cause) => {
    names['two.test'] = ['127.0.0.1', '127.0.0.2']
    const { port, asked } = await proxy(socket => socket.end(`HTTP/1.1 ${status} No\r\n\r\n`))
    expect(await send(door(port), 'http://two.test:9/')).toMatchObject({ kind: 'failed', cause })
    expect(asked).toEqual(['127.0.0.1:9', '127.0.0.2:9'])
  })

  it('has nothing left of connections that were given up', async () => {
    const { port, asked } = await proxy(socket => socket.resume().on('end', () => socket.destroy()))
    const gone = new AbortController()
    const egress = door(port)
    const sent = send(egress, 'http://127.0.0.1:9/', { signal: gone.signal })
    const end = setInterval(() => asked.length > 0 && gone.abort(), 10)
    await expect(sent).rejects.toThrow('aborted')
    clearInterval(end)
    const { server } = servers.at(-1)!
    const open = () => new Promise<number>(count => server.getConnections((_, number) => count(number)))
    while ((await open()) > 0) await new Promise(next => setTimeout(next, 10))
  })
})

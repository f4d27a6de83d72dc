import { connect, createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { judge, type NetworkCause } from '@posthorn/webhook'
import { Egress, type EgressOptions, type EgressResult } from './egress.js'

const LONG = 60_000
/** And yet enough for the steps before, on a busy machine. */
const SHORT = 1_200
const egresses: Egress[] = []
function egressWith(steps: Partial<EgressOptions['steps']>, resolve?: EgressOptions['resolve']): Egress {
  const made = Egress.from({
    allow: ['127.0.0.0/8'],
    deny: [],
    ports: ['1024-65535'],
    minTlsVersion: '1.2',
    sockets: 8,
    userAgent: 'test',
    keptBytes: 1024,
    headerBytes: 16_384,
    steps: { dns: LONG, connect: LONG, tls: LONG, firstByte: LONG, ...steps },
    ...(resolve ? { resolve } : {}),
  })
  egresses.push(made)
  return made
}
const send = (egress: Egress, url: string, timeoutMs = LONG) =>
  egress.send({ url, method: 'POST', headers: {}, body: Buffer.from('{}'), timeoutMs })

const servers: Server[] = []
const sockets = new Set<Socket>()
async function receiver(answer: (socket: Socket) => void): Promise<number> {
  const server = createTcp(socket => {
    sockets.add(socket.on('error', () => {}))
    socket.once('data', () => answer(socket))
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** Listens and takes nobody: once its queue is full the kernel answers no more connections. */
async function full(): Promise<{ port: number; worker: Worker }> {
  const code = `
    const { parentPort } = require('node:worker_threads')
    const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })`
  const worker = new Worker(code, { eval: true })
  const port = await new Promise<number>(resolve => worker.once('message', resolve))
  for (let n = 0; n < 4; n++) sockets.add(connect(port, '127.0.0.1').on('error', () => {}))
  await new Promise(resolve => setTimeout(resolve, 200))
  return { port, worker }
}

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  for (const server of servers.splice(0)) await new Promise(resolve => server.close(resolve))
})
afterAll(() => Promise.all(egresses.map(one => one.close())))

function expectCause(result: EgressResult, cause: NetworkCause, advice: RegExp): void {
  expect(result).toMatchObject({ kind: 'failed', cause })
  expect(judge(result, 0)).toMatchObject({ class: 'network.timeout', advice: expect.stringMatching(advice) })
}

const hanging = () => new Promise<never>(() => {})
const dead = async () => [{ address: '127.0.0.1', family: 4 }]

describe('S5 S11 a step that takes too long has its own cause', () => {
  it.each([
    [{ dns: 200 }, LONG],
    [{}, 200],
  ])('a name that is not resolved, by %j of %d ms', async (steps, whole) => {
    expectCause(await send(egressWith(steps, hanging), 'http://a.example:8080/', whole), 'dns_timeout', /name servers/)
  })

  it.each([
    [{ connect: 300 }, LONG],
    [{}, 300],
  ])('a connection that is not taken, by %j of %d ms', async (steps, whole) => {
    const { port, worker } = await full()
    try {
      for (const host of ['127.0.0.1', 'a.example'])
        expectCause(
          await send(egressWith(steps, dead), `http://${host}:${port}/`, whole),
          'connect_timeout',
          /firewall/,
        )
    } finally {
      await worker.terminate()
    }
  })

  it.each([
    [{ tls: 200 }, LONG],
    [{}, SHORT],
  ])('a handshake that does not go on, by %j of %d ms', async (steps, whole) => {
    const port = await receiver(() => {})
    for (const host of ['127.0.0.1', 'a.example'])
      expectCause(await send(egressWith(steps, dead), `https://${host}:${port}/`, whole), 'tls_timeout', /speaks TLS/)
  })

  it('an answer that does not begin', async () => {
    const port = await receiver(socket => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'))
    const result = await send(egressWith({ firstByte: 200 }), `http://127.0.0.1:${port}/`)
    expectCause(result, 'first_byte_timeout', /Answer 2xx first/)
    expect(result).toMatchObject({ detail: 'no answer began within 200 ms (POSTHORN_SEND_TIMEOUT)' })
  })

  it('an answer that began may take as long as the whole', async () => {
    const port = await receiver(socket => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no')
      setTimeout(() => socket.write('k'), 2 * SHORT)
    })
    const egress = egressWith({ firstByte: SHORT })
    expect(await send(egress, `http://127.0.0.1:${port}/`)).toMatchObject({ status: 200 })
    expectCause(await send(egressWith({}), `http://127.0.0.1:${port}/`, SHORT), 'timeout', /Answer 2xx first/)
  })

  it('a connection that once was made is not ended by the steps', async () => {
    const port = await receiver(socket => {
      const answer = () => socket.write('HTTP/1.1 204 No Content\r\n\r\n')
      answer()
      socket.on('data', answer)
    })
    const egress = egressWith({ connect: SHORT, dns: SHORT, firstByte: SHORT }, dead)
    for (let n = 0; n < 3; n++) {
      if (n > 0) await new Promise(resolve => setTimeout(resolve, SHORT + 100))
      expect(await send(egress, `http://a.example:${port}/`)).toMatchObject({ status: 204 })
    }
  })
})

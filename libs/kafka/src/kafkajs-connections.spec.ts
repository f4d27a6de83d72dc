import { createRequire } from 'node:module'
import { createServer, Socket, type AddressInfo, type Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { until } from '@posthorn/testkit'
import { repairKafkajs } from './kafkajs-repairs.js'

/** kafkajs's own class: what it does is decided by what the other side says. */
interface Connection {
  connect(): Promise<boolean>
  disconnect(): Promise<boolean>
  isConnected(): boolean
  send(call: object): Promise<string>
  sendAuthRequest(call: object): Promise<unknown>
}

const HEADER_BYTES = 4
const CORRELATION_AT = 8

repairKafkajs()
const require = createRequire(import.meta.url)
const KafkajsConnection = require('kafkajs/src/network/connection') as new (options: object) => Connection
const Encoder = require('kafkajs/src/protocol/encoder') as new () => object
const socketFactory = (require('kafkajs/src/network/socketFactory') as () => object)()

const call = (apiName = 'Anything') => ({
  request: { apiKey: 0, apiVersion: 0, apiName, encode: () => Promise.resolve(new Encoder()) },
  response: {
    decode: (answer: Buffer) => Promise.resolve({ text: answer.toString() }),
    parse: ({ text }: { text: string }) => Promise.resolve(text),
  },
})

describe("kafkajs's connections, repaired", () => {
  let server: Server
  let connection: Connection
  const sockets: Socket[] = []
  /** What the broker does with a request on its nth connection (from 1). */
  let onRequest: (socket: Socket, nth: number, answer: Buffer) => void

  beforeEach(async () => {
    onRequest = (socket, _nth, answer) => void socket.write(answer)
    server = createServer(socket => {
      const nth = sockets.push(socket)
      socket.on('error', () => undefined)
      socket.on('data', piece => onRequest(socket, nth, answerTo(piece, `from ${nth}`)))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    connection = connectionOf(60_000)
    await connection.connect()
  })

  function connectionOf(requestTimeout: number): Connection {
    const { port } = server.address() as AddressInfo
    const said = { namespace: () => said, debug: () => undefined, warn: () => undefined, error: () => undefined }
    const timeouts = { requestTimeout, connectionTimeout: 60_000 }
    return new KafkajsConnection({ host: '127.0.0.1', port, logger: said, socketFactory, ...timeouts })
  }
  afterEach(async () => {
    await connection.disconnect()
    for (const socket of sockets.splice(0)) socket.destroy()
    server.close()
  })

  it('a request that is not answered takes its connection down, and the next one is asked on another', async () => {
    const hurried = connectionOf(1500)
    await hurried.connect()
    onRequest = (socket, nth, answer) => void (nth > 2 && socket.write(answer))
    const lost = [hurried.send(call()), hurried.send(call())]
    const names = (await Promise.allSettled(lost)).map(each => (each as { reason?: Error }).reason?.name)
    expect(names[0]).toBe('KafkaJSRequestTimeoutError')
    expect(hurried.isConnected()).toBe(false)
    await until(() => sockets[1]!.destroyed, 5000)
    await hurried.connect()
    expect(await hurried.send(call())).toBe('from 3')
    await hurried.disconnect()
  })

  it.each(['closed', 'reset'])(
    'half of an answer on a connection that was %s is not read before the next answer',
    async how => {
      onRequest = (socket, nth, answer) => {
        if (nth > 1) return void socket.write(answer)
        socket.write(answer.subarray(0, answer.length - 3))
        // What was written has to be read first.
        setTimeout(() => (how === 'closed' ? socket.end() : socket.resetAndDestroy()), 50)
      }
      await expect(connection.send(call())).rejects.toThrow(/Closed connection|ECONNRESET/)
      await connection.connect()
      expect(await connection.send(call())).toBe('from 2')
      expect(await connection.send(call())).toBe('from 2')
    },
  )

  it('an answer that cannot be read ends its connection, and nothing else', async () => {
    onRequest = (socket, nth, answer) => void socket.write(nth > 1 ? answer : Buffer.from([0, 0, 0, 2, 1, 1]))
    await expect(connection.send(call())).rejects.toThrow('Answer cannot be read')
    await connection.connect()
    expect(await connection.send(call())).toBe('from 2')
  })

  it('what is sent does not wait for the acknowledgement of what was sent before', async () => {
    const setNoDelay = jest.spyOn(Socket.prototype, 'setNoDelay')
    const other = connectionOf(60_000)
    await other.connect()
    expect(setNoDelay.mock.calls).toEqual([[true]])
    setNoDelay.mockRestore()
    await other.disconnect()
  })

  it('who finds it closed while it is being opened gets the same one', async () => {
    await connection.disconnect()
    await Promise.all([connection.connect(), connection.connect(), connection.connect()])
    expect(await connection.send(call())).toBe('from 2')
    expect(sockets).toHaveLength(2)
  })

  it('a login that is not answered ends', async () => {
    onRequest = () => undefined
    jest.useFakeTimers({
      doNotFake: ['nextTick', 'setImmediate', 'setInterval', 'queueMicrotask', 'performance', 'Date'],
    })
    try {
      const request = { encode: () => Promise.resolve(Buffer.from('let me in')) }
      const login = connection.sendAuthRequest({ request, response: { decode: () => undefined } })
      jest.advanceTimersByTime(10_000)
      await expect(login).rejects.toThrow('Connection closed by the server')
      expect(connection.isConnected()).toBe(false)
    } finally {
      jest.useRealTimers()
    }
  })
})

function answerTo(request: Buffer, text: string): Buffer {
  const answer = Buffer.alloc(2 * HEADER_BYTES + text.length)
  answer.writeInt32BE(HEADER_BYTES + text.length, 0)
  request.copy(answer, HEADER_BYTES, CORRELATION_AT, CORRELATION_AT + HEADER_BYTES)
  answer.write(text, 2 * HEADER_BYTES)
  return answer
}

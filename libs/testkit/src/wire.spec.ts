import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { until } from './until.js'
import { openWire, type Wire } from './wire.js'

const HALF_OPEN_MS = 200

let server: Server
let wire: Wire
/** What has arrived at the server. */
let arrived = ''

/** Says everything back. */
beforeEach(async () => {
  arrived = ''
  server = createServer(socket => {
    socket.on('error', () => undefined)
    socket.on('data', piece => {
      arrived += piece.toString()
      socket.write(piece)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  wire = await openWire((server.address() as AddressInfo).port)
})
afterEach(async () => {
  await wire.close()
  server.close()
})

interface Caller {
  readonly socket: Socket
  heard(): string
  /** How the connection ended. */
  ended(): string | undefined
}

async function call(): Promise<Caller> {
  const socket = connect(wire.port, '127.0.0.1')
  let heard = ''
  let end: string | undefined
  socket.on('data', piece => (heard += piece.toString()))
  socket.on('end', () => (end ??= 'closed'))
  socket.on('error', error => (end ??= (error as { code?: string }).code))
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return { socket, heard: () => heard, ended: () => end }
}

async function well(): Promise<Caller> {
  const caller = await call()
  caller.socket.write('well')
  await until(() => caller.heard() === 'well', 5000)
  return caller
}

describe('a wire', () => {
  it('passes all on while it is well, and the end', async () => {
    const caller = await well()
    caller.socket.end()
    await until(() => caller.ended() === 'closed', 5000)
    expect(wire.hits).toBe(0)
  })

  it('delays each way, and keeps the order', async () => {
    const caller = await well()
    wire.disturb(() => ({ kind: 'slow', ms: 150 }))
    const began = performance.now()
    const pieces = 'abcdefghijklmnopqrst'
    for (const piece of pieces) {
      caller.socket.write(piece)
      await sleep(5)
    }
    await until(() => caller.heard() === `well${pieces}`, 10_000)
    expect(performance.now() - began).toBeGreaterThanOrEqual(300)
    // Not one after the other, for 6 s: a line that is long, not narrow.
    expect(performance.now() - began).toBeLessThan(4000)
  })

  it('cuts in the middle of a piece, one connection closed and the next reset', async () => {
    const callers = [await well(), await well()]
    wire.disturb(() => ({ kind: 'cut', afterBytes: 3 }))
    for (const { socket } of callers) socket.write('cut it')
    await until(() => callers.every(caller => caller.ended() !== undefined), 5000)
    expect(callers.map(caller => caller.ended()).sort()).toEqual(['ECONNRESET', 'closed'])
    expect(arrived).toBe('wellwellcutcut')
  })

  it.each(['late', 'reset'] as const)('is half-open without a word, and then %s', async ending => {
    const [caller, gone] = [await well(), await well()]
    wire.disturb(() => ({ kind: 'half_open', ending }))
    caller.socket.write('lost?')
    gone.socket.destroy()
    const another = await call()
    another.socket.write('me too')
    await sleep(HALF_OPEN_MS)
    expect([caller.heard(), caller.ended(), another.heard(), another.ended()]).toEqual([
      'well',
      undefined,
      '',
      undefined,
    ])
    expect(arrived).toBe('wellwell')
    wire.mend()
    if (ending === 'late') await until(() => caller.heard() === 'welllost?' && another.heard() === 'me too', 5000)
    else await until(() => caller.ended() === 'ECONNRESET' && another.ended() === 'ECONNRESET', 5000)
    await well()
  })

  it('refuses new connections, and keeps those that are open', async () => {
    const caller = await well()
    await wire.refuse()
    await expect(call()).rejects.toThrow('ECONNREFUSED')
    caller.socket.write('!')
    await until(() => caller.heard() === 'well!', 5000)
    await wire.accept()
    await well()
  })
})

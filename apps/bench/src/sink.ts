import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Counts, Question } from './receiver.js'

/**
 * The receiver of the benchmarks, a process of its own: a bare socket server that reads HTTP/1.1
 * with content-length and answers 200. node:http would cost as much as the whole delivery path.
 * It keeps the webhook-ids that it has answered, by the first segment of the path, and the age of
 * the `sentAt` (ms) that a payload carries. Under /fail-once each id's first request fails.
 *
 * While it is strict, /hang answers nothing, and /take/<n>/<name> n requests a second, one after another.
 */
const HEAD_END = Buffer.from('\r\n\r\n')
const SENT_AT = Buffer.from('"sentAt":')
const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
const FAILURE = Buffer.from('HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n')
const HTTP = { path: /^\S+ (\S+)/, id: /\r\nwebhook-id: *([^\r]+)/i, length: /\r\ncontent-length: *(\d+)/i }

/** What came under one first segment of the path. */
interface Group {
  readonly ids: Set<string>
  requests: number
  firstAt: number
  lastAt: number
}

const groups = new Map<string, Group>()
const failedOnce = new Set<string>()
let ages: number[] = []
let strict = true
/** Answers the requests that /hang holds. */
let release: () => void
let released: Promise<void>
hold()
/** Connections by TLS since the start. */
let secured = 0
/** When the last of the requests to a path of /take is answered, ms of performance.now(). */
const takenUntil = new Map<string, number>()

function hold(): void {
  released = new Promise(resolve => (release = resolve))
}

function serve(socket: Socket): void {
  let held: Buffer = Buffer.alloc(0)
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    for (;;) {
      const headEnd = held.indexOf(HEAD_END)
      if (headEnd < 0) return
      const head = held.toString('latin1', 0, headEnd)
      const end = headEnd + 4 + Number(HTTP.length.exec(head)?.[1] ?? 0)
      if (held.length < end) return
      receive(socket, head, held.subarray(headEnd + 4, end))
      held = held.subarray(end)
    }
  })
}

function receive(socket: Socket, head: string, body: Buffer): void {
  const path = HTTP.path.exec(head)?.[1] ?? '/'
  const id = HTTP.id.exec(head)?.[1] ?? ''
  const [, group = '', option = ''] = path.split('/')
  const at = body.indexOf(SENT_AT)
  if (at >= 0)
    ages.push(now() - Number.parseFloat(body.toString('latin1', at + SENT_AT.length, at + SENT_AT.length + 20)))
  if (group === 'hang' && strict) void released.then(() => answer(socket, group, id))
  else if (group === 'take' && strict) void inTurn(path, 1000 / Number(option)).then(() => answer(socket, group, id))
  else if (group === 'fail-once' && !failedOnce.has(id)) {
    failedOnce.add(id)
    socket.write(FAILURE)
  } else answer(socket, group, id)
}

function inTurn(path: string, spacingMs: number): Promise<void> {
  const turn = Math.max(performance.now(), takenUntil.get(path) ?? 0) + spacingMs
  takenUntil.set(path, turn)
  return Promise.race([sleep(turn - performance.now()), released])
}

/** A request whose sender has given up is none that was received. */
function answer(socket: Socket, name: string, id: string): void {
  if (socket.destroyed) return
  socket.write(ANSWER)
  let group = groups.get(name)
  if (group === undefined) groups.set(name, (group = { ids: new Set(), requests: 0, firstAt: now(), lastAt: 0 }))
  group.requests++
  group.ids.add(id)
  group.lastAt = now()
}

function now(): number {
  return performance.timeOrigin + performance.now()
}

function count(of: string | undefined): Counts {
  const counted = of === undefined ? [...groups.values()] : [groups.get(of)].filter(group => group !== undefined)
  const sum = (each: (group: Group) => number) => counted.reduce((total, group) => total + each(group), 0)
  return {
    requests: sum(({ requests }) => requests),
    ids: sum(({ ids }) => ids.size),
    firstAt: Math.min(...counted.map(({ firstAt }) => firstAt)),
    lastAt: Math.max(...counted.map(({ lastAt }) => lastAt)),
  }
}

function reply({ ask, of, certificate }: Question): unknown {
  switch (ask) {
    case 'secure':
      return listenByTls(certificate!)
    case 'secured':
      return { connections: secured }
    case 'count':
      return count(of)
    case 'ages':
      return { ages }
    case 'forgetAges':
      ages = []
      return {}
    case 'reset':
      groups.clear()
      ages = []
      return {}
    case 'strict':
      strict = true
      hold()
      return {}
    case 'lenient':
      strict = false
      release()
      return {}
  }
}

/** The same by TLS, on a port of its own. */
function listenByTls(certificate: { readonly cert: string; readonly key: string }): Promise<{ port: number }> {
  const secure = createTlsServer(certificate, socket => {
    secured++
    serve(socket)
  })
  return new Promise(resolve =>
    secure.listen(0, '127.0.0.1', () => resolve({ port: (secure.address() as AddressInfo).port })),
  )
}

const server = createServer(serve)
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('message', message => {
  void Promise.resolve(reply(message as Question)).then(told => process.send?.(told as object))
})
process.on('disconnect', () => process.exit(0))

import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

/**
 * The receiver of the benchmarks, a process of its own: a bare socket server that reads HTTP/1.1
 * with content-length and answers 200. node:http would cost as much as the whole delivery path.
 * It keeps, per request, the webhook-id and the age of the `sentAt` (ms) that the payload carries.
 */
const HEAD_END = Buffer.from('\r\n\r\n')
const SENT_AT = Buffer.from('"sentAt":')
const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
const FAILURE = Buffer.from('HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n')

const ids = new Set<string>()
let requests = 0
let firstAt = 0
let lastAt = 0
let ages: number[] = []

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
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      const end = headEnd + 4 + length
      if (held.length < end) return
      socket.write(receive(head, held.subarray(headEnd + 4, end)) ? ANSWER : FAILURE)
      held = held.subarray(end)
    }
  })
}

/** Counts one request; false makes it fail: under /fail-once each id's first request does. */
function receive(head: string, body: Buffer): boolean {
  const now = performance.timeOrigin + performance.now()
  const id = /\r\nwebhook-id: *([^\r]+)/i.exec(head)?.[1] ?? ''
  const isFirst = !ids.has(id)
  requests++
  ids.add(id)
  firstAt ||= now
  lastAt = now
  const at = body.indexOf(SENT_AT)
  if (at >= 0)
    ages.push(now - Number.parseFloat(body.toString('latin1', at + SENT_AT.length, at + SENT_AT.length + 20)))
  return !(isFirst && head.startsWith('POST /fail-once'))
}

const server = createServer(serve)
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('message', message => {
  if (message === 'count') process.send?.({ requests, ids: ids.size, firstAt, lastAt })
  if (message === 'ages') process.send?.({ ages })
  if (message === 'reset') {
    ids.clear()
    ages = []
    requests = firstAt = lastAt = 0
    process.send?.({})
  }
})
process.on('disconnect', () => process.exit(0))

import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * `slow`: every piece waits. `cut`: an answer breaks off after its first bytes. `half_open`: nothing
 * passes any more and nobody is told, on connections that are open, too.
 */
export type LineState = 'well' | 'slow' | 'cut' | 'half_open'

/** A TCP proxy on 127.0.0.1, through which a part of the requests goes. */
export interface Line {
  readonly port: number
  set(state: LineState): void
  /** Pieces that were held up, broken off or lost so far. */
  readonly hits: number
  close(): Promise<void>
}

const SLOW_MS = 400
/** Less than the head of any answer. */
const CUT_AFTER_BYTES = 20

/** Resolves with whether the connection is to stay. */
async function forward(piece: Buffer, to: Socket, state: LineState, isAnswer: boolean): Promise<boolean> {
  switch (state) {
    case 'slow':
      await sleep(SLOW_MS)
      to.write(piece)
      return true
    case 'cut':
      to.write(isAnswer ? piece.subarray(0, CUT_AFTER_BYTES) : piece)
      // What is written has to leave before the end.
      if (isAnswer) await sleep(1)
      return !isAnswer
    case 'half_open':
      return true
    case 'well':
      to.write(piece)
      return true
    default:
      throw new Error(`there is no line that is ${String(state satisfies never)}`)
  }
}

export async function openLine(toPort: number): Promise<Line> {
  let state: LineState = 'well'
  let hits = 0
  const open = new Set<Socket>()
  const lose = (...sockets: Socket[]) => sockets.forEach(socket => socket.destroy())

  const pass = (from: Socket, to: Socket, isAnswer: boolean) => {
    // Each piece after the one before it, and the end after all of them.
    let passed: Promise<unknown> = Promise.resolve()
    from.on('data', (piece: Buffer) => {
      if (state !== 'well') hits++
      const met = state
      passed = passed.then(() => forward(piece, to, met, isAnswer)).then(isWhole => isWhole || lose(from, to))
    })
    from.on('error', () => lose(from, to))
    from.once('close', () => {
      open.delete(from)
      if (state !== 'half_open') void passed.then(() => lose(to))
    })
  }

  const server = createServer(from => {
    const to = connect(toPort, '127.0.0.1')
    open.add(from).add(to)
    pass(from, to, false)
    pass(to, from, true)
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    set: next => {
      // What was lost on a half-open connection does not come back: whoever waits there waits in vain.
      state = next
    },
    get hits() {
      return hits
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        lose(...open)
      }),
  }
}

import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePorts } from '@posthorn/embedded/ports'

/** What a wire does to each connection that it carries. */
export type Disturbance =
  /** Every piece comes so much later, each way. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** It carries so many bytes more, and ends in the middle of a piece: half of them closed, half of them reset. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Nothing passes and nobody is told, not even of an end. At last it is reset, or all that was sent arrives late. */
  | { readonly kind: 'half_open'; readonly ending: 'reset' | 'late' }

/**
 * A TCP proxy on 127.0.0.1 before a server whose clients keep their connections. What is done to it
 * hits those that are open; new ones meet the same, or are refused.
 */
export interface Wire {
  readonly port: number
  /** `of` says what the nth connection meets. */
  disturb(of: (nth: number) => Disturbance): void
  /** Until `accept`, nobody listens on its port. What is open stays. */
  refuse(): Promise<void>
  accept(): Promise<void>
  /** Well again. */
  mend(): void
  /** Pieces that were late, and connections that were cut or held up, so far. */
  readonly hits: number
  close(): Promise<void>
}

export async function openWire(toPort: number): Promise<Wire> {
  const links = new Set<Link>()
  let made = 0
  let disturbance: ((nth: number) => Disturbance) | undefined
  const counts = { hits: 0 }
  const server = createServer(client => {
    const link = new Link(made++, client, connect(toPort, '127.0.0.1'), counts)
    links.add(link)
    link.onEnd = () => links.delete(link)
    if (disturbance) link.disturb(disturbance(link.nth))
  })
  // Ours while it refuses, too.
  const [port] = (await freePorts(1)) as [number]
  await listen(server, port)
  return {
    port,
    disturb: of => {
      disturbance = of
      for (const link of links) link.disturb(of(link.nth))
    },
    // Its callback would wait for the end of all connections.
    refuse: async () => void server.close(),
    accept: () => listen(server, port),
    mend: () => {
      disturbance = undefined
      for (const link of links) link.mend()
    },
    get hits() {
      return counts.hits
    },
    close: async () => {
      server.close()
      for (const link of links) link.break()
    },
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** One connection of a client, and ours to the server. */
class Link {
  onEnd: () => void = () => undefined
  private met: Disturbance | undefined
  private bytesLeft = Infinity
  private readonly ways: readonly Way[]

  constructor(
    readonly nth: number,
    client: Socket,
    server: Socket,
    private readonly counts: { hits: number },
  ) {
    this.ways = [this.way(client, server), this.way(server, client)]
  }

  disturb(met: Disturbance): void {
    this.met = met
    switch (met.kind) {
      case 'slow':
        return
      case 'cut':
        this.bytesLeft = met.afterBytes
        return
      case 'half_open':
        this.counts.hits++
        // Not read, so that its end is not seen either; what comes in the meantime waits in the kernel.
        for (const { from } of this.ways) from.pause()
        return
      default:
        throw new Error(`there is no ${String(met satisfies never)}`)
    }
  }

  mend(): void {
    const { met } = this
    this.met = undefined
    this.bytesLeft = Infinity
    if (met?.kind !== 'half_open') return
    if (met.ending === 'reset') this.break()
    else for (const { from } of this.ways) from.resume()
  }

  /** Both sides are told by a reset. */
  break(): void {
    for (const { from } of this.ways) from.resetAndDestroy()
  }

  private way(from: Socket, to: Socket): Way {
    const way = new Way(from, to)
    from.on('data', (piece: Buffer) => this.pass(way, piece))
    from.on('error', () => way.end(true))
    from.once('close', () => {
      way.end(from.errored !== null)
      this.onEnd()
    })
    return way
  }

  private pass(way: Way, piece: Buffer): void {
    if (this.met?.kind === 'slow') {
      this.counts.hits++
      return way.put(piece, this.met.ms)
    }
    if (piece.length <= this.bytesLeft) {
      this.bytesLeft -= piece.length
      return way.put(piece, 0)
    }
    this.counts.hits++
    way.put(piece.subarray(0, this.bytesLeft), 0)
    this.bytesLeft = 0
    this.met = undefined
    for (const each of this.ways) each.end(this.nth % 2 === 0)
  }
}

/** One direction: pieces in their order, each not before its time, and the end after all of them. */
class Way {
  private readonly waiting: { readonly piece: Buffer; readonly at: number }[] = []
  private timer: NodeJS.Timeout | undefined
  private ending: 'closed' | 'reset' | undefined

  constructor(
    readonly from: Socket,
    private readonly to: Socket,
  ) {}

  put(piece: Buffer, lateMs: number): void {
    if (this.ending) return
    this.waiting.push({ piece, at: performance.now() + lateMs })
    this.pump()
  }

  end(reset: boolean): void {
    this.ending ??= reset ? 'reset' : 'closed'
    this.pump()
  }

  private pump(): void {
    clearTimeout(this.timer)
    while (this.waiting.length > 0 && this.waiting[0]!.at <= performance.now())
      this.to.write(this.waiting.shift()!.piece)
    if (this.waiting.length > 0)
      this.timer = setTimeout(() => this.pump(), Math.ceil(this.waiting[0]!.at - performance.now()))
    else if (this.ending === 'closed') this.to.end()
    // What is written has to leave first: a reset takes with it what was not read.
    else if (this.ending === 'reset') setTimeout(() => this.to.resetAndDestroy(), RESET_AFTER_MS)
  }
}

const RESET_AFTER_MS = 5

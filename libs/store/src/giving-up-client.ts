import { Client } from 'pg'

/** What pg says of a query that was not answered within `query_timeout`. */
const NOT_ANSWERED = 'Query read timeout'
const ENDS_WITHIN_MS = 2000

/** Sooner than a load balancer or a NAT forgets a connection that is idle: they do after some minutes. */
export const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 30_000 } as const

/**
 * A connection that ends with the first query that is not answered in time. pg gives up that query
 * alone: a pool would hand the connection out again, half-open, and each query wait as long; and where
 * the answer comes late after all, the connection may be in a transaction whose end was given up,
 * too, so that what the next user writes is never committed.
 */
export class GivingUpClient extends Client {
  override query(...asked: Parameters<Client['query']>): ReturnType<Client['query']> {
    const answer = super.query(...asked)
    // A pool's own queries take a callback, and release with the error.
    if (answer instanceof Promise)
      answer.catch((error: unknown) => {
        // At once, so that a pool does not take it back.
        if (error instanceof Error && error.message === NOT_ANSWERED) void this.end()
      })
    return answer
  }

  /** pg waits for the other side to close, too. */
  override end(done?: () => void): Promise<void> {
    const timer = setTimeout(() => this.connection.stream.destroy(), ENDS_WITHIN_MS)
    this.connection.once('end', () => clearTimeout(timer))
    return super.end(done)
  }
}

import { QueryFailedError, QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm'

/** Postgres cannot be reached right now: nothing is wrong with the request, which may be tried again. */
export class DatabaseAway extends Error {
  override readonly name = 'DatabaseAway'
}

const SYSTEM_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])
/** too_many_connections, out of memory or disk, shutting down, crashed, starting up, statement timeout, read only after a failover. */
const SQL_STATES = /^(08|53|57P0|57014|25006)/
/** What pg and its pool throw without any code. */
const MESSAGES = /timeout exceeded when trying to connect|connection terminated|Query read timeout|not queryable/i

/** What TypeORM answers to the next query of a transaction whose connection broke between two. */
const RELEASED = [QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError]

/** Whether a failed query means that Postgres is away, or cannot work, and not that the query is wrong. */
export function isDatabaseAway(error: unknown): boolean {
  if (error instanceof DatabaseAway) return true
  if (RELEASED.some(type => error instanceof type)) return true
  if (error instanceof QueryFailedError) return isDatabaseAway(error.driverError)
  if (error instanceof AggregateError) return error.errors.some(isDatabaseAway)
  if (!(error instanceof Error)) return false
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && (SYSTEM_CODES.has(code) || SQL_STATES.test(code))) return true
  return MESSAGES.test(error.message)
}

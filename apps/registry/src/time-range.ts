import { ApiError } from '@posthorn/api'

/** Times that JavaScript and Postgres write alike: years 1 to 9999. */
const EARLIEST = Date.parse('0001-01-01T00:00:00Z')
const LATEST = Date.parse('9999-12-30T00:00:00Z')

/**
 * Ends of a range in ms since the epoch, of RFC 3339 times that were checked. Throws ApiError
 * request_invalid where the range ends before it begins.
 */
export function rangeOf(from: string | undefined, to: string | undefined): { from?: number; to?: number } {
  const ends = { ...(from === undefined ? {} : { from: ms(from) }), ...(to === undefined ? {} : { to: ms(to) }) }
  if (ends.from !== undefined && ends.to !== undefined && ends.from >= ends.to)
    throw invalidRange('/to', 'must be after from')
  return ends
}

/** A range that a check of each end alone does not find wrong. */
export function invalidRange(pointer: string, message: string): ApiError {
  return new ApiError('request_invalid', `${pointer} ${message}.`, [{ pointer, message }])
}

const ms = (time: string): number => Math.min(Math.max(Date.parse(time), EARLIEST), LATEST)

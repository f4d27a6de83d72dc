import { ApiError } from '@posthorn/api'
import { isDatabaseAway } from '@posthorn/store'

/** The answer to a failure of the database: the caller's to repeat, when the database is merely away. */
export function databaseProblem(error: unknown): ApiError | undefined {
  return isDatabaseAway(error) ? new ApiError('database_unavailable', 'Postgres does not answer.') : undefined
}

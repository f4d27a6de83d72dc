import { ApiError } from '@posthorn/api'
import { SealError } from '@posthorn/sealing'
import {
  ClaimTaken,
  EventTypesFull,
  EventTypeTaken,
  isDatabaseAway,
  QuotaReached,
  refusedBy,
  OPEN_REPLAYS,
  ReplayEnded,
  ReplaysFull,
  TenantGone,
  TenantTaken,
  UidTaken,
  VersionConflict,
} from '@posthorn/store'

const COUNTED: Readonly<Record<QuotaReached['of'], string>> = {
  webhooks: 'webhooks',
  unindexedFilters: 'webhooks whose filter wants no exact value',
}

/** The answer to a failure that the store or the sealer knows: the caller's to correct, or to repeat when the database is away. */
export function storeProblem(error: unknown): ApiError | undefined {
  if (error instanceof TenantGone) return new ApiError('tenant_not_found', `There is no tenant "${error.message}".`)
  if (error instanceof TenantTaken)
    return new ApiError('tenant_exists', `The id "${error.message}" is, or was, of a tenant.`)
  if (error instanceof UidTaken) return new ApiError('uid_taken', 'Another webhook of the tenant has this uid.')
  if (error instanceof QuotaReached)
    return new ApiError('quota_reached', `The tenant may have at most ${error.quota} ${COUNTED[error.of]}.`)
  if (error instanceof EventTypeTaken)
    return new ApiError('event_type_exists', `There is an event type "${error.message}" of this scope.`)
  if (error instanceof EventTypesFull) return new ApiError('quota_reached', `${error.message}.`)
  if (error instanceof ReplaysFull)
    return new ApiError('quota_reached', `The tenant may have at most ${OPEN_REPLAYS} unfinished replays.`)
  if (error instanceof ReplayEnded) return new ApiError('replay_ended', `The replay is ${error.status}.`)
  if (error instanceof SealError)
    return new ApiError('secret_sealed', 'The secret does not open with the master keys of this deployment.')
  if (error instanceof ClaimTaken) return new ApiError('idempotency_running', `It took too long: ${error.message}.`)
  if (error instanceof VersionConflict)
    return new ApiError('version_conflict', `It has version ${error.version} by now.`)
  const refused = refusedBy(error)
  if (refused !== undefined) return new ApiError('database_rights', `Postgres says: ${refused}.`)
  return isDatabaseAway(error) ? new ApiError('database_unavailable', 'Postgres does not answer.') : undefined
}

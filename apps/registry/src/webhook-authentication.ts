import { authenticationHeader, type AuthenticationBody } from '@posthorn/api'
import type { Sealer } from '@posthorn/sealing'
import type { StoredAuthentication } from '@posthorn/store'
import { authenticationContext, type Problem } from '@posthorn/webhook'

/** What is kept of an authentication; what there was before, where nothing changes, so that it is no new version. */
export function storedAuthentication(
  sealer: Sealer,
  webhook: string,
  body: AuthenticationBody,
  before: StoredAuthentication | null,
): StoredAuthentication {
  const { header, value } = authenticationHeader(body)
  const context = authenticationContext(webhook, header)
  const same = before?.type === body.type && before.header === header && sealer.unseal(before.sealed, context) === value
  if (same) return before
  const shown = body.type === 'basic' ? { username: body.username } : {}
  return { type: body.type, header, sealed: sealer.seal(value, context), ...shown }
}

/** One of the two would be lost without a word. */
export function authenticationConflicts(
  authentication: StoredAuthentication | null,
  headers: readonly string[],
): Problem[] {
  const taken = headers.some(name => name.toLowerCase() === authentication?.header)
  return taken
    ? [
        {
          pointer: '',
          message: `is in the header ${authentication!.header}, which is among the webhook's headers, too`,
        },
      ]
    : []
}

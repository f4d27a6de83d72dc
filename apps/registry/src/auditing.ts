import type { Caller } from '@posthorn/api'
import type { AuditActor, Audited } from '@posthorn/store'
import { claimOf } from './idempotent-answers.js'

/** Who acts, as the audit keeps it. */
export function actorOf({ key, address, requestId }: Caller): AuditActor {
  return { key, address, requestId }
}

/** Makes the audit's entry of a change by `caller`: what it was and is, as the API shows it, hence without secrets. */
export function audited<T extends { readonly id: string }>(
  caller: Caller,
  tenant: string | null,
  action: string,
  view: (row: T) => object,
): Audited<T> {
  return (before, after) => ({
    ...actorOf(caller),
    request: claimOf(caller),
    tenant,
    action,
    subject: (after ?? before)!.id,
    before: before === undefined ? null : view(before),
    after: after === undefined ? null : view(after),
  })
}

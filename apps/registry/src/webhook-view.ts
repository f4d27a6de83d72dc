import {
  authenticationView,
  encryptionView,
  REDACTED,
  retryPolicyView,
  tlsView,
  type DisabledReasonView,
  type OwnershipView,
  type SecretView,
  type WebhookView,
} from '@posthorn/api'
import type { DisabledReason, StoredSecret, WebhookCondition, WebhookRow } from '@posthorn/store'
import type { FilterPattern } from '@posthorn/webhook'

/** A webhook as the API shows it: no secret, and of a header only its name. */
export function webhookView(row: WebhookRow, { condition, failingSince }: WebhookCondition): WebhookView {
  return { ...settingsView(row), health: condition, failing_since: failingSince?.toISOString() ?? null }
}

/** What changes of it alone, which the audit has. */
export function settingsView(row: WebhookRow): Omit<WebhookView, 'health' | 'failing_since'> {
  const { id, uid, status, url, method, events, filter, format, description, metadata, version } = row
  return {
    id,
    uid,
    status,
    url,
    method,
    headers: Object.fromEntries(Object.keys(row.sealedHeaders).map(name => [name, REDACTED])),
    events,
    ordering: row.ordering,
    filter: filter as FilterPattern | null,
    format,
    retry_policy: retryPolicyView(row.retryPolicy),
    rate_limit: row.rateLimit,
    max_concurrency: row.maxConcurrency,
    allowed_cidrs: row.allowedCidrs,
    denied_cidrs: row.deniedCidrs,
    min_tls_version: row.minTlsVersion,
    encryption: row.encryption && encryptionView(row.encryption),
    authentication: row.authentication && authenticationView(row.authentication),
    signing: row.signing,
    tls: row.tls && tlsView(row.tls),
    send_traceparent: row.sendTraceparent,
    disable_after_seconds: row.disableAfterSeconds,
    disabled_reason: disabledReasonView(row.disabledReason),
    ownership: ownershipView(row),
    description,
    metadata,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    version,
  }
}

function disabledReasonView(reason: DisabledReason | null): DisabledReasonView | null {
  if (!reason) return null
  return { rule: reason.rule, disabled_at: reason.at, failing_since: reason.failingSince ?? null }
}

/** Of a webhook that is about to be asked for the first time, too. */
function ownershipView({ status, ownership, verifyAt }: WebhookRow): OwnershipView | null {
  if (!ownership && status !== 'pending') return null
  return {
    verified_at: ownership?.verifiedAt ?? null,
    allowed_rate: ownership?.allowedRate ?? null,
    attempts: ownership?.attempts ?? 0,
    last_attempt_at: ownership?.lastAt ?? null,
    next_attempt_at: verifyAt?.toISOString() ?? null,
    status_code: ownership?.statusCode ?? null,
    error: ownership?.error ?? null,
    advice: ownership?.advice ?? null,
  }
}

export function secretView({ id, signature = 'v1', createdAt, expiresAt }: StoredSecret): SecretView {
  return { id, signature, created_at: createdAt, expires_at: expiresAt }
}

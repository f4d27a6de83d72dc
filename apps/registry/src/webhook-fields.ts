import { randomBytes } from 'node:crypto'
import {
  encryptionFrom,
  headersFaults,
  metadataFaults,
  rateLimitFrom,
  retryPolicyFrom,
  scheduleConflicts,
  signingFrom,
  type CreateWebhookBody,
  type EncryptionBody,
  type PatchWebhookBody,
  type RateLimitBody,
  type RetryPolicyBody,
} from '@posthorn/api'
import { SealError, type Sealer } from '@posthorn/sealing'
import type { NewWebhook, StoredSecret, WebhookChange, WebhookRow } from '@posthorn/store'
import {
  checkFilter,
  DEFAULT_RETRY_POLICY,
  headerContext,
  privateSecretFrom,
  protectionsOf,
  secretContext,
  secretFrom,
  secretId,
  signatureOf,
  verifierOf,
  type Encryption,
  type FilterPattern,
  type Protected,
  type RateLimit,
  type RetryPolicy,
  type Signature,
} from '@posthorn/webhook'
import { refuse } from './refuse.js'
import { authenticationConflicts, storedAuthentication } from './webhook-authentication.js'
import { refuseSigningConflicts } from './webhook-signing.js'
import { patchedTls, storedTls } from './webhook-tls.js'

type Strings = Readonly<Record<string, string>>
type Settable = Omit<NewWebhook, 'id' | 'tenant' | 'status' | 'secrets'>

/** What a body says of a secret: its value, or by what one that is made here signs. */
export interface SecretBody {
  readonly secret?: string | null
  readonly signature?: Signature | null
}

/**
 * A secret ready to be kept, made here unless it is given, and what its receiver verifies with. Throws
 * ApiError request_invalid where the value is of another kind than what is asked for.
 */
export function newSecret(
  sealer: Sealer,
  webhook: Protected & { readonly id: string },
  body: SecretBody,
  byDefault: Signature = 'v1',
): { verifier: string; kept: StoredSecret } {
  const value = body.secret ?? madeFor(body.signature ?? byDefault)
  const signature = signatureOf(value)!
  if (body.signature && body.signature !== signature)
    refuse('/signature', [{ pointer: '', message: `is not that of the secret, which signs by ${signature}` }])
  const kept = {
    id: secretId(randomBytes(16)),
    createdAt: new Date().toISOString(),
    expiresAt: null,
    ...(signature === 'v1' ? {} : { signature }),
    ...sealedBeside(sealer, webhook, value),
  }
  return { verifier: verifierOf(value), kept }
}

/** The database takes no secret of a protected webhook that does not say beside what it was sealed. */
function sealedBeside(sealer: Sealer, webhook: Protected & { readonly id: string }, value: string) {
  const bound = protectionsOf(webhook)
  return { sealed: sealer.seal(value, secretContext(webhook)), ...(bound === '' ? {} : { bound }) }
}

function madeFor(signature: Signature): string {
  return signature === 'v1' ? secretFrom(randomBytes(32)) : privateSecretFrom(randomBytes(32))
}

/** What a body says of a webhook, and the defaults of what it leaves out; its secret is for the caller. */
export function fieldsOf(
  sealer: Sealer,
  id: string,
  body: CreateWebhookBody,
  before: Pick<WebhookRow, 'authentication' | 'tls'> = { authentication: null, tls: null },
): Settable {
  const names = Object.keys(body.headers ?? {})
  const authentication = body.authentication
    ? storedAuthentication(sealer, id, body.authentication, before.authentication)
    : null
  refuse('/authentication', authenticationConflicts(authentication, names))
  return {
    uid: body.uid ?? null,
    url: body.url,
    method: body.method ?? 'POST',
    ordering: body.ordering ?? 'none',
    sealedHeaders: sealed(sealer, id, body.headers ?? {}),
    events: body.events,
    filter: body.filter ?? null,
    format: body.format ?? 'standard',
    retryPolicy: retryPolicyFrom(body.retry_policy ?? {}, DEFAULT_RETRY_POLICY),
    rateLimit: rateLimitFrom(body.rate_limit ?? {}, null) ?? null,
    maxConcurrency: body.max_concurrency ?? null,
    allowedCidrs: body.allowed_cidrs ?? null,
    deniedCidrs: body.denied_cidrs ?? null,
    minTlsVersion: body.min_tls_version ?? null,
    encryption: encryptionOf(body.encryption ?? {}, null, names),
    authentication,
    signing: body.signing ? signingFrom(body.signing) : null,
    tls: storedTls(sealer, { id, tls: before.tls }, body.tls ?? {}),
    sendTraceparent: body.send_traceparent ?? false,
    disableAfterSeconds: body.disable_after_seconds ?? null,
    description: body.description ?? null,
    metadata: body.metadata ?? {},
  }
}

/** What a merge-patch changes of the row. Throws ApiError request_invalid for what it comes to. */
export function changeOf(sealer: Sealer, row: WebhookRow, body: PatchWebhookBody): WebhookChange {
  const {
    url,
    uid,
    events,
    filter,
    method,
    ordering,
    format,
    status,
    description,
    metadata,
    headers,
    retry_policy: policy,
    rate_limit: limit,
    max_concurrency: maxConcurrency,
    allowed_cidrs: allowedCidrs,
    denied_cidrs: deniedCidrs,
    min_tls_version: minTlsVersion,
    encryption,
    authentication,
    signing,
    tls,
    send_traceparent: sendTraceparent,
    disable_after_seconds: disableAfterSeconds,
    secret,
  } = body
  const sealedHeaders = patched(headers, {}, patch => mergedHeaders(sealer, row, patch))
  const change = defined<WebhookChange>({
    url,
    uid,
    events,
    filter: patched(filter, null, patch => mergedFilter(row.filter, patch)),
    method: method === null ? 'POST' : method,
    ordering: ordering === null ? 'none' : ordering,
    format: format === null ? 'standard' : format,
    status,
    description,
    metadata: patched(metadata, {}, patch => mergedMetadata(row.metadata, patch)),
    sealedHeaders,
    retryPolicy: patched(policy, DEFAULT_RETRY_POLICY, patch => mergedPolicy(row.retryPolicy, patch)),
    rateLimit: patched(limit, null, patch => mergedLimit(row.rateLimit, patch)),
    maxConcurrency,
    allowedCidrs,
    deniedCidrs,
    minTlsVersion,
    encryption: encryptionAfter(row, encryption, sealedHeaders),
    authentication: patched(authentication, null, body =>
      storedAuthentication(sealer, row.id, body, row.authentication),
    ),
    signing: patched(signing, null, signingFrom),
    tls: patched(tls, null, patch => patchedTls(sealer, row, patch)),
    sendTraceparent: sendTraceparent === null ? false : sendTraceparent,
    disableAfterSeconds,
  })
  const after = { ...row, ...change }
  refuse('/authentication', authenticationConflicts(after.authentication, Object.keys(after.sealedHeaders)))
  return { ...change, ...secretsAfter(sealer, row, after, secret ?? undefined, { secret }) }
}

/** What a body that is the whole of a webhook changes of the row: its headers only where their values differ. */
export function replacementOf(sealer: Sealer, row: WebhookRow, body: CreateWebhookBody): WebhookChange {
  const { sealedHeaders: _sealed, ...fields } = fieldsOf(sealer, row.id, body, row)
  const sealedHeaders = sameHeaders(sealer, row, body.headers ?? {})
  const given = body.secret ?? undefined
  const secret = given === undefined || signsWith(sealer, row, given) ? undefined : given
  return { ...fields, sealedHeaders, ...secretsAfter(sealer, row, { ...row, ...fields }, secret, body) }
}

/** A secret that is given is the only one; else those there are, sealed again where what they are bound to changes. */
function secretsAfter(
  sealer: Sealer,
  before: WebhookRow,
  after: WebhookRow,
  given: string | undefined,
  body: SecretBody,
): Pick<WebhookChange, 'secrets'> {
  const [from, to] = [secretContext(before), secretContext(after)]
  const made = given === undefined ? undefined : newSecret(sealer, after, body).kept
  refuseSigningConflicts({ ...after, secrets: made ? [made] : before.secrets })
  if (made) return { secrets: [made] }
  if (from === to) return {}
  const again = ({ bound: _, ...one }: StoredSecret) => ({
    ...one,
    ...sealedBeside(sealer, after, sealer.unseal(one.sealed, from)),
  })
  return { secrets: before.secrets.map(again) }
}

/** Headers and encryption change apart, and must fit each other after it. */
function encryptionAfter(
  row: WebhookRow,
  patch: EncryptionBody | null | undefined,
  sealedHeaders: Strings = row.sealedHeaders,
): Encryption | null | undefined {
  const encryption = patch === null ? null : encryptionOf(patch ?? {}, row.encryption, Object.keys(sealedHeaders))
  return patch === undefined ? undefined : encryption
}

/** Throws ApiError request_invalid where a header that is to go inside is none of the webhook's: it would be in the clear. */
function encryptionOf(body: EncryptionBody, before: Encryption | null, headers: readonly string[]): Encryption | null {
  const encryption = encryptionFrom(body, before)
  if (!encryption && Object.keys(body).length > 0) refuse('/encryption', [{ pointer: '/key', message: 'is required' }])
  const names = headers.map(name => name.toLowerCase())
  const unknown = (encryption?.headers ?? []).flatMap((name, index) =>
    names.includes(name) ? [] : [{ pointer: `/headers/${index}`, message: 'is none of the headers of the webhook' }],
  )
  refuse('/encryption', unknown)
  return encryption ?? null
}

function signsWith(sealer: Sealer, row: WebhookRow, secret: string): boolean {
  return row.secrets.length === 1 && holds(sealer, row.secrets[0]!.sealed, secretContext(row), secret)
}

/** What does not open holds nothing: a webhook whose master key is lost gets well by new values. */
function holds(sealer: Sealer, sealed: string, context: string, value: string): boolean {
  try {
    return sealer.unseal(sealed, context) === value
  } catch (error) {
    if (error instanceof SealError) return false
    throw error
  }
}

/** The headers sealed; where a value is as it was, what was sealed before, so that nothing seems to have changed. */
function sameHeaders(sealer: Sealer, { id, sealedHeaders }: WebhookRow, headers: Strings): Record<string, string> {
  const entries = Object.entries(headers).map(([given, value]) => {
    const name = given.toLowerCase()
    const before = Object.hasOwn(sealedHeaders, name) ? sealedHeaders[name] : undefined
    const same = before !== undefined && holds(sealer, before, headerContext(id, name), value)
    return [name, same ? before : sealer.seal(value, headerContext(id, name))]
  })
  return Object.fromEntries(entries) as Record<string, string>
}

function sealed(sealer: Sealer, id: string, headers: Strings): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      sealer.seal(value, headerContext(id, name.toLowerCase())),
    ]),
  )
}

function mergedHeaders(
  sealer: Sealer,
  { id, sealedHeaders }: WebhookRow,
  patch: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const lower = Object.fromEntries(Object.entries(patch).map(([name, value]) => [name.toLowerCase(), value]))
  const merged = withoutNulls({ ...sealedHeaders, ...lower, ...sealed(sealer, id, withoutNulls(lower)) })
  // Of what is there already only the count can be at fault, not the sealed values.
  refuse('/headers', headersFaults(Object.fromEntries(Object.keys(merged).map(name => [name, 'x']))))
  return merged
}

/** Merge-patch of the map: null removes. What it comes to must still be allowed. */
function mergedMetadata(before: Strings, patch: Readonly<Record<string, string | null>>): Record<string, string> {
  const metadata = withoutNulls({ ...before, ...patch })
  refuse('/metadata', metadataFaults(metadata))
  return metadata
}

function mergedPolicy(before: RetryPolicy, patch: RetryPolicyBody): RetryPolicy {
  refuse('/retry_policy', scheduleConflicts(patch, before))
  return retryPolicyFrom(patch, before)
}

function mergedLimit(before: RateLimit | null, patch: RateLimitBody): RateLimit | null {
  const limit = rateLimitFrom(patch, before)
  if (limit === undefined) refuse('/rate_limit', [{ pointer: '/requests', message: 'is required' }])
  return limit ?? null
}

/** Merge-patch of the filter, at all depths. */
function mergedFilter(before: object | null, patch: FilterPattern): object {
  const filter = mergePatch(before, patch)
  refuse('/filter', checkFilter(filter))
  return filter as object
}

function mergePatch(before: unknown, patch: unknown): unknown {
  if (!isPlain(patch)) return patch
  const merged = new Map(isPlain(before) ? Object.entries(before) : [])
  for (const [name, value] of Object.entries(patch))
    if (value === null) merged.delete(name)
    else merged.set(name, mergePatch(merged.get(name), value))
  return Object.fromEntries(merged)
}

/** Of an update mask it has no prototype. */
const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value))

function withoutNulls(map: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter((entry): entry is [string, string] => entry[1] !== null))
}

/** What a field of a merge-patch comes to: absent stays as it is, null is the default. */
function patched<P, T>(patch: P | null | undefined, byDefault: T, merge: (patch: P) => T): T | undefined {
  if (patch === undefined) return undefined
  return patch === null ? byDefault : merge(patch)
}

function defined<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

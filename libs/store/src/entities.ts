import type { ApiRole, KeyDocument, Tenant } from '@posthorn/topics'
import {
  permittedRate,
  type Authentication,
  type Encryption,
  type FilterPattern,
  type Format,
  type Method,
  type Ordering,
  type Ownership,
  type RateLimit,
  type RetryPolicy,
  type SealedTls,
  type Signature,
  type Signing,
  type TlsVersion,
  type Webhook,
  type WebhookStatus,
} from '@posthorn/webhook'
import { Column, Entity, PrimaryColumn } from 'typeorm'

// The migrations make the tables; these classes only name their columns.

/** What is shown of it, and the sealed value of its header. */
export interface StoredAuthentication extends Authentication {
  readonly type: 'bearer' | 'basic' | 'api_key'
  /** Of basic. */
  readonly username?: string
}

/** What a tenant may have at most; null or absent: as much as it likes. */
export interface TenantQuotas {
  readonly webhooks?: number | null
  /** Filters that are not found by a hash; see isIndexedFilter. */
  readonly unindexedFilters?: number | null
  readonly eventsPerSecond?: number | null
}

/** How far the removal of a tenant's data has come. */
export interface TenantDeletion {
  readonly startedAt: string
  readonly finishedAt: string | null
  readonly webhooks: number
  readonly keys: number
  readonly historyRows: number
}

@Entity('tenants')
export class TenantRow {
  @PrimaryColumn('text')
  id: string

  @Column('integer')
  version: number

  @Column('text')
  status: 'active' | 'deleting' | 'deleted'

  @Column('text', { nullable: true })
  description: string | null

  @Column('jsonb')
  quotas: TenantQuotas

  @Column('text', { name: 'unknown_event_types' })
  unknownEventTypes: 'accept' | 'refuse'

  @Column('jsonb', { nullable: true })
  deletion: TenantDeletion | null

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt: Date
}

/** Why a webhook was disabled, where no person did it. Times are RFC 3339. */
export interface DisabledReason {
  readonly rule: 'failing' | 'gone'
  readonly at: string
  readonly failingSince?: string
}

/** A secret of a webhook; with an end, a newer one has taken its place and both sign until then. */
export interface StoredSecret {
  readonly id: string
  readonly sealed: string
  /** RFC 3339. */
  readonly createdAt: string
  readonly expiresAt: string | null
  /** Absent: v1. */
  readonly signature?: Signature
  /** What protected the requests when it was sealed; absent: nothing. */
  readonly bound?: string
}

@Entity('webhooks')
export class WebhookRow {
  @PrimaryColumn('text')
  id: string

  @Column('text')
  tenant: string

  /** The customer's own name for it, once among the tenant's webhooks. */
  @Column('text', { nullable: true })
  uid: string | null

  @Column('integer')
  version: number

  @Column('text')
  status: WebhookStatus

  @Column('text')
  url: string

  @Column('text')
  method: Method

  /** By name in lower case; each value sealed. */
  @Column('jsonb', { name: 'sealed_headers' })
  sealedHeaders: Record<string, string>

  @Column('text', { array: true })
  events: string[]

  @Column('jsonb', { nullable: true })
  filter: object | null

  @Column('text')
  format: Format

  @Column('text')
  ordering: Ordering

  /** Newest first. */
  @Column('jsonb')
  secrets: readonly StoredSecret[]

  @Column('timestamptz', { name: 'next_secret_end', nullable: true })
  nextSecretEnd: Date | null

  @Column('jsonb', { name: 'retry_policy' })
  retryPolicy: RetryPolicy

  @Column('jsonb', { name: 'rate_limit', nullable: true })
  rateLimit: RateLimit | null

  @Column('integer', { name: 'max_concurrency', nullable: true })
  maxConcurrency: number | null

  /** Ranges that its requests may go to; null: all that the deployment permits. */
  @Column('text', { name: 'allowed_cidrs', array: true, nullable: true })
  allowedCidrs: string[] | null

  /** Ranges that they do not go to; null: none. */
  @Column('text', { name: 'denied_cidrs', array: true, nullable: true })
  deniedCidrs: string[] | null

  @Column('text', { name: 'min_tls_version', nullable: true })
  minTlsVersion: TlsVersion | null

  @Column('jsonb', { nullable: true })
  encryption: Encryption | null

  @Column('jsonb', { nullable: true })
  authentication: StoredAuthentication | null

  @Column('jsonb', { nullable: true })
  signing: Signing | null

  @Column('jsonb', { nullable: true })
  tls: SealedTls | null

  @Column('boolean', { name: 'send_traceparent' })
  sendTraceparent: boolean

  /** By names, parted by commas; the database says it, and only who compares rows with their topic reads it. */
  @Column({ type: 'text', insert: false, update: false, select: false })
  protections: string

  /** It is disabled after so long of nothing but failures; 0: never; null: what the deployment says. */
  @Column('integer', { name: 'disable_after_seconds', nullable: true })
  disableAfterSeconds: number | null

  /** From when failures count: it became active, or got another URL. Null: from always. */
  @Column('timestamptz', { name: 'active_since', nullable: true })
  activeSince: Date | null

  @Column('jsonb', { name: 'disabled_reason', nullable: true })
  disabledReason: DisabledReason | null

  /** What its receiver said to the handshake since it has this URL; null: it was not asked. */
  @Column('jsonb', { nullable: true })
  ownership: Ownership | null

  /** When a pending webhook is asked next; null: not by itself. */
  @Column('timestamptz', { name: 'verify_at', nullable: true })
  verifyAt: Date | null

  @Column('text', { nullable: true })
  description: string | null

  @Column('jsonb')
  metadata: Record<string, string>

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt: Date

  /** A deleted webhook is kept until its tombstone, so that readers are told of the deletion. */
  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: Date | null
}

@Entity('keys')
export class KeyRow {
  @PrimaryColumn('text')
  id: string

  /** Null for a key of the platform. */
  @Column('text', { nullable: true })
  tenant: string | null

  @Column('integer')
  version: number

  @Column('text')
  status: 'active' | 'deleted'

  @Column('text')
  name: string

  /** SHA-256 of the key, in hex; null for a key that signs. */
  @Column('text', { nullable: true })
  hash: string | null

  /** What the signatures of a key that signs are checked with; null for one that is sent. */
  @Column('text', { name: 'sealed_secret', nullable: true })
  sealedSecret: string | null

  /** The key's first characters, by which its owner knows it again. */
  @Column('text')
  prefix: string

  @Column('text', { array: true })
  roles: ApiRole[]

  /** CIDRs that it may be used from; empty: from everywhere. */
  @Column('text', { name: 'allowed_ips', array: true })
  allowedIps: string[]

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: Date | null

  /** To the minute. */
  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt: Date | null

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt: Date

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: Date | null
}

/** Says that a document has to be published; never what it says, so that only the current one ever is. */
@Entity('outbox')
export class OutboxRow {
  /** Given by the database; a bigint, hence text. */
  @PrimaryColumn('bigint', { insert: false })
  seq: string

  @Column('text')
  kind: string

  @Column('text')
  subject: string
}

/** The webhook as webhooks.v1 carries it. */
export function webhookDocument(row: WebhookRow): Webhook {
  const { id, tenant, version, status, url, method, events, filter, format, secrets, retryPolicy } = row
  const rateLimit = permittedRate(row.rateLimit, row.ownership?.allowedRate ?? null)
  return {
    id,
    tenant,
    version,
    status,
    url,
    method,
    events,
    format,
    sealedSecrets: secrets.map(secret => secret.sealed),
    retryPolicy,
    ...(Object.keys(row.sealedHeaders).length === 0 ? {} : { sealedHeaders: row.sealedHeaders }),
    ...(filter === null ? {} : { filter: filter as FilterPattern }),
    ...(row.ordering === 'none' ? {} : { ordering: row.ordering }),
    ...(rateLimit === null ? {} : { rateLimit }),
    ...(row.maxConcurrency === null ? {} : { maxConcurrency: row.maxConcurrency }),
    ...(row.allowedCidrs === null ? {} : { allowedCidrs: row.allowedCidrs }),
    ...(row.deniedCidrs === null ? {} : { deniedCidrs: row.deniedCidrs }),
    ...(row.minTlsVersion === null ? {} : { minTlsVersion: row.minTlsVersion }),
    ...(row.encryption === null ? {} : { encryption: row.encryption }),
    ...(row.authentication === null ? {} : { authentication: authenticationDocument(row.authentication) }),
    ...(row.tls === null ? {} : { tls: row.tls }),
    ...(row.sendTraceparent ? { sendTraceparent: true } : {}),
    ...(row.signing === null ? {} : { signing: row.signing }),
  }
}

function authenticationDocument({ header, sealed }: StoredAuthentication): Authentication {
  return { header, sealed }
}

/** The tenant as tenants.v1 carries it: for readers one whose data is being removed is gone. */
export function tenantDocument({ id, version, status, quotas, unknownEventTypes }: TenantRow): Tenant {
  const eventsPerSecond = quotas.eventsPerSecond ?? undefined
  return {
    id,
    version,
    status: status === 'active' ? 'active' : 'deleted',
    ...(eventsPerSecond === undefined ? {} : { eventsPerSecond }),
    ...(unknownEventTypes === 'accept' ? {} : { unknownEventTypes }),
  }
}

/** The key as keys.v1 carries it: nothing that would let its reader use it. */
export function keyDocument(row: KeyRow): KeyDocument {
  const { id, tenant, version, status, roles, allowedIps, expiresAt } = row
  const grant = { id, tenant, version, status, roles, allowedIps, expiresAt: expiresAt && expiresAt.toISOString() }
  return row.sealedSecret === null
    ? { ...grant, hash: row.hash! }
    : { ...grant, kind: 'signing', sealedSecret: row.sealedSecret }
}

import type { Encryption } from './encryption.js'
import type { Format } from './format.js'
import type { Ordering } from './ordering.js'
import type { RateLimit } from './rate-limit.js'
import type { RetryPolicy } from './retry-policy.js'
import type { FilterPattern } from './filter.js'
import type { Signing } from './signing.js'
import type { TlsVersion } from './tls-version.js'
import type { SealedTls } from './webhook-tls.js'

export type WebhookStatus = 'pending' | 'active' | 'paused' | 'disabled' | 'deleted'

export const METHODS = ['POST', 'PUT', 'PATCH'] as const
export type Method = (typeof METHODS)[number]

/** A tenant's registration as the data path knows it. Secrets are sealed: only the deliverer opens them. */
export interface Webhook {
  readonly id: string
  readonly tenant: string
  /** Grows with every change; readers ignore what is older than they have. */
  readonly version: number
  readonly status: WebhookStatus
  readonly url: string
  readonly method: Method
  /** Headers of the customer's own by name in lower case, each value sealed by libs/sealing. */
  readonly sealedHeaders?: Readonly<Record<string, string>>
  readonly events: readonly string[]
  readonly filter?: FilterPattern
  readonly format: Format
  /** Absent: none. */
  readonly ordering?: Exclude<Ordering, 'none'>
  /** Active secrets, newest first, each sealed by libs/sealing. */
  readonly sealedSecrets: readonly string[]
  /** Absent: by Standard Webhooks, as each secret's form says. */
  readonly signing?: Signing
  readonly retryPolicy: RetryPolicy
  /** Absent: none. */
  readonly rateLimit?: RateLimit
  /** Requests at once; absent: what the deployment allows. */
  readonly maxConcurrency?: number
  /** CIDRs that requests may go to, of those that the deployment permits; absent: all of them. */
  readonly allowedCidrs?: readonly string[]
  /** CIDRs that requests do not go to, of those that they may go to; absent: none. */
  readonly deniedCidrs?: readonly string[]
  /** Absent, or lower than the deployment's: the deployment's. */
  readonly minTlsVersion?: TlsVersion
  /** Absent: bodies are sent as they are. */
  readonly encryption?: Encryption
  /** The header that shows the receiver who sends; its value sealed by libs/sealing. */
  readonly authentication?: Authentication
  /** Absent: what the deployment trusts, and no client certificate. */
  readonly tls?: SealedTls
  /** Its requests carry the trace that they belong to; absent: they do not. */
  readonly sendTraceparent?: true
}

export interface Authentication {
  /** In lower case. */
  readonly header: string
  readonly sealed: string
}

/** What the sealed value of an authentication is bound to. */
export function authenticationContext(webhook: string, header: string): string {
  return `${webhook} authentication ${header}`
}

/**
 * What a webhook's sealed secrets are bound to: copied to another webhook they do not open. They are bound to
 * what protects its requests, too: a service that does not know of it, or got the document without it,
 * cannot open them, and so sends nothing, rather than in the clear or in vain.
 */
export function secretContext(webhook: Protected & { readonly id: string }): string {
  const protections = protectionsOf(webhook)
  return protections === '' ? webhook.id : `${webhook.id} with ${protections}`
}

/**
 * In this order, and of fields that older versions do not know: with another order or name nothing would open.
 * The column `protections` of the table says the same: who adds one here adds it there by a migration.
 */
const PROTECTIONS = ['encryption', 'authentication', 'tls', 'deniedCidrs', 'signing'] as const
export type Protected = { readonly [P in (typeof PROTECTIONS)[number]]?: object | null | undefined }

/** What protects the requests of a webhook, by name, parted by commas. */
export function protectionsOf(webhook: Protected): string {
  return PROTECTIONS.filter(name => webhook[name]).join()
}

/** What a header's sealed value is bound to: copied to another webhook or name it does not open. */
export function headerContext(webhook: string, name: string): string {
  return `${webhook} header ${name}`
}

/** Whether events are routed to it; a paused webhook keeps its deliveries for later. */
export function receivesEvents(status: WebhookStatus): boolean {
  return status === 'active' || status === 'paused'
}

/** Whether what was routed to it waits: a pending webhook may have got another URL. */
export function keepsDeliveries(status: WebhookStatus | undefined): boolean {
  return status === 'paused' || status === 'pending'
}

import type { FilterPattern, Format, RetryPolicy, Webhook, WebhookStatus } from '@posthorn/webhook'
import { Column, Entity, PrimaryColumn } from 'typeorm'

// The migrations make the tables; these classes only name their columns.

@Entity('tenants')
export class TenantRow {
  @PrimaryColumn('text')
  id: string

  @Column('integer')
  version: number

  @Column('text')
  status: 'active' | 'deleted'
}

@Entity('webhooks')
export class WebhookRow {
  @PrimaryColumn('text')
  id: string

  @Column('text')
  tenant: string

  @Column('integer')
  version: number

  @Column('text')
  status: WebhookStatus

  @Column('text')
  url: string

  @Column('text')
  method: 'POST'

  @Column('text', { array: true })
  events: string[]

  @Column('jsonb', { nullable: true })
  filter: object | null

  @Column('text')
  format: Format

  @Column('text', { name: 'sealed_secrets', array: true })
  sealedSecrets: string[]

  @Column('jsonb', { name: 'retry_policy' })
  retryPolicy: RetryPolicy

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

export type OutboxKind = 'webhook' | 'tenant'

/** Says that a document has to be published; never what it says, so that only the current one ever is. */
@Entity('outbox')
export class OutboxRow {
  /** Given by the database; a bigint, hence text. */
  @PrimaryColumn('bigint', { insert: false })
  seq: string

  @Column('text')
  kind: OutboxKind

  @Column('text')
  subject: string
}

/** The webhook as webhooks.v1 carries it. */
export function webhookDocument(row: WebhookRow): Webhook {
  const { id, tenant, version, status, url, method, events, filter, format, sealedSecrets, retryPolicy } = row
  return {
    id,
    tenant,
    version,
    status,
    url,
    method,
    events,
    format,
    sealedSecrets,
    retryPolicy,
    ...(filter === null ? {} : { filter: filter as FilterPattern }),
  }
}

import { IsIn, IsOptional } from 'class-validator'
import { AUDIT_SCOPES, type AuditScope } from './audit.js'
import { Documented } from './documented.js'
import { Exact, HistoryListQuery } from './history-lists.js'

export const POISON_STATUSES = ['open', 'redriven'] as const
export type PoisonStatus = (typeof POISON_STATUSES)[number]

const TIME = { type: 'string', format: 'date-time' } as const
const TEXT_OR_NULL = { type: 'string', nullable: true } as const

/** GET /v1/poison; the time is that at which the log took the record. */
export class ListPoisonQuery extends HistoryListQuery {
  @Documented({
    enum: [...AUDIT_SCOPES],
    required: false,
    description:
      'Records of the tenant, of nobody that is known (platform), or all; unless set all that the key may see.',
  })
  @IsOptional()
  @IsIn(AUDIT_SCOPES, { message: `must be one of ${AUDIT_SCOPES.join(', ')}` })
  scope?: AuditScope

  @Exact('The topic that the record stood on, without prefix.')
  topic?: string

  @Exact('Why it was set aside.')
  reason?: string

  @Documented({ enum: [...POISON_STATUSES], required: false, description: 'Redriven, or not yet.' })
  @IsOptional()
  @IsIn(POISON_STATUSES, { message: `must be one of ${POISON_STATUSES.join(', ')}` })
  status?: PoisonStatus
}

/** A record that could not be decoded or accepted: where it stood, why, and its bytes. */
export class PoisonView {
  @Documented() readonly id: string
  @Documented({ enum: [...POISON_STATUSES] }) readonly status: PoisonStatus
  @Documented({ ...TEXT_OR_NULL, description: 'null: nobody that is known.' }) readonly tenant: string | null
  @Documented({ description: 'Without prefix; of a topic of your own the whole name.' }) readonly topic: string
  @Documented({ type: 'integer' }) readonly partition: number
  @Documented({ type: 'integer' }) readonly offset: number
  @Documented({ ...TIME, description: 'When the log took it.' }) readonly at: string
  @Documented() readonly reason: string
  @Documented() readonly detail: string
  @Documented({ type: 'array', items: { type: 'string' } }) readonly pointers: readonly string[]
  @Documented({ ...TEXT_OR_NULL, description: 'The source that read it.' }) readonly source: string | null
  @Documented({ ...TEXT_OR_NULL, description: 'The only webhook that it was set aside for.' })
  readonly webhook: string | null
  @Documented({ type: 'integer', description: 'How many times it was set aside.' }) readonly count: number
  @Documented({ ...TEXT_OR_NULL, description: 'The id it had when it was redriven before.' })
  readonly previous: string | null
  @Documented({ description: 'Whether it can be put back as it was.' }) readonly redrivable: boolean
  @Documented({ ...TIME, nullable: true }) readonly redriven_at: string | null
  @Documented({ ...TEXT_OR_NULL, description: 'Id of the key that was used; platform: that of the environment.' })
  readonly redriven_by: string | null
  @Documented(TEXT_OR_NULL) readonly key: string | null
  @Documented({ type: 'object', additionalProperties: { type: 'string' } })
  readonly headers: Readonly<Record<string, string>>
  @Documented({ type: 'integer', description: 'Bytes of the value.' }) readonly size: number
  @Documented({ description: 'The value; in a list its first 4,096 bytes, and empty where it was too large to keep.' })
  readonly value_base64: string
}

import { IsIn, IsOptional } from 'class-validator'
import type { Problem } from '@posthorn/webhook'
import { AlertMatchBody, AlertMatchView } from './alert-channels.js'
import { ALERT_SCOPE, Maybe, textFaults } from './alert-rules.js'
import { timeFaults } from './audit.js'
import { Documented } from './documented.js'
import { Faults } from './http-validation.js'
import { KEY_SCOPES, type KeyScope } from './keys.js'

const TIME = { type: 'string', format: 'date-time' } as const
function endFaults(time: unknown): Problem[] {
  const faults = timeFaults(time)
  if (faults.length > 0) return faults
  return Date.parse(time as string) > Date.now() ? [] : [{ pointer: '', message: 'must be in the future' }]
}

/** POST /v1/alert-silences */
export class CreateAlertSilenceBody extends AlertMatchBody {
  static readonly example = { rules: ['webhook_success_rate'], ends_at: '2099-01-31T12:00:00Z', comment: 'moving' }

  @Maybe(timeFaults, { ...TIME, description: 'Unless set, now.' })
  starts_at?: string | null

  @Faults(endFaults, TIME)
  ends_at: string

  @Maybe(textFaults, { type: 'string', maxLength: 256, description: 'Why.' })
  comment?: string | null

  @Documented(ALERT_SCOPE)
  @IsOptional()
  @IsIn(KEY_SCOPES, { message: 'must be tenant or platform' })
  scope?: KeyScope | null
}

/** What is not told meanwhile. */
export class AlertSilenceView extends AlertMatchView {
  @Documented() readonly id: string
  @Documented({ enum: [...KEY_SCOPES] }) readonly scope: KeyScope
  @Documented({ type: 'string', nullable: true }) readonly tenant: string | null
  @Documented(TIME) readonly starts_at: string
  @Documented(TIME) readonly ends_at: string
  @Documented({ type: 'string', nullable: true }) readonly comment: string | null
  @Documented(TIME) readonly created_at: string
  @Documented({ type: 'integer' }) readonly version: number
}

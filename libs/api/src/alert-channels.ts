import { IsIn, IsOptional } from 'class-validator'
import { ALERT_METRICS, ALERT_SEVERITIES, type Problem } from '@posthorn/webhook'
import { ALERT_SCOPE, flagFaults, Maybe, textFaults } from './alert-rules.js'
import { NOTIFICATION_STATUSES } from './alerts.js'
import { Documented } from './documented.js'
import { Faults } from './http-validation.js'
import { KEY_SCOPES, type KeyScope } from './keys.js'

export const CHANNEL_TYPES = ['email', 'slack'] as const
export type ChannelType = (typeof CHANNEL_TYPES)[number]

export const CHANNEL_DEFAULTS = { group_seconds: 10, repeat_seconds: 14_400 } as const

const TIME = { type: 'string', format: 'date-time' } as const
const MOST = 50
const MAX_SECONDS = 604_800
/** What servers take as an address without quoting; the rest is theirs to refuse. */
const ADDRESS = /^[^\s@<>(),;:"\\[\]]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/

const fault = (message: string, pointer = ''): Problem[] => [{ pointer, message }]

const listFaults = (fits: (item: unknown) => boolean, of: string) => (list: unknown) => {
  if (!Array.isArray(list) || list.length > MOST) return fault(`must be an array of at most ${MOST}`)
  return list.flatMap((item, index) => (fits(item) ? [] : fault(`must be ${of}`, `/${index}`)))
}

const isName = (item: unknown) => typeof item === 'string' && /^[A-Za-z0-9_-]{1,128}$/.test(item)
const isSeverity = (item: unknown) => (ALERT_SEVERITIES as readonly unknown[]).includes(item)
const isAddress = (item: unknown) => typeof item === 'string' && ADDRESS.test(item)

const secondsFaults = (seconds: unknown) =>
  Number.isInteger(seconds) && Number(seconds) >= 0 && Number(seconds) <= MAX_SECONDS
    ? []
    : fault(`must be a whole number from 0 to ${MAX_SECONDS}`)

function nameFaults(name: unknown): Problem[] {
  return typeof name === 'string' && name.trim() !== '' ? textFaults(name) : fault('must be 1 to 256 characters')
}

function chatUrlFaults(url: unknown): Problem[] {
  const faults = fault('must be an http or https URL of at most 2048 characters, without user and password')
  if (typeof url !== 'string' || url.length > 2048 || !URL.canParse(url)) return faults
  const { protocol, username, password } = new URL(url)
  return /^https?:$/.test(protocol) && username === '' && password === '' ? [] : faults
}

const NAMES = { type: 'array', items: { type: 'string' }, maxItems: MOST } as const
const SEVERITIES = { type: 'array', items: { type: 'string', enum: [...ALERT_SEVERITIES] }, maxItems: MOST } as const
const RULES_TEXT = `Ids of rules, or metrics: ${ALERT_METRICS.slice(0, 2).join(', ')} … Absent or empty: every one.`

/** Which alerts: those that fit all that is said. */
export class AlertMatchBody {
  @Maybe(listFaults(isName, 'an id of a rule or a metric'), { ...NAMES, description: RULES_TEXT })
  rules?: string[] | null

  @Maybe(listFaults(isSeverity, `one of ${ALERT_SEVERITIES.join(', ')}`), SEVERITIES)
  severities?: string[] | null

  @Maybe(listFaults(isName, 'an id of a tenant'), { ...NAMES, description: "Of the platform's own: only of these." })
  tenants?: string[] | null

  @Maybe(textFaults, { type: 'string', description: 'Id of a webhook: only about it.' })
  webhook?: string | null
}

/** PATCH /v1/alert-channels/{id}, by merge-patch: null is the default. */
export class PatchAlertChannelBody extends AlertMatchBody {
  static readonly example: object = { severities: ['critical'], repeat_seconds: 3600 }

  @Maybe(nameFaults, { type: 'string', maxLength: 256 })
  name?: string | null

  @Maybe(listFaults(isAddress, 'an address such as team@example.com'), {
    ...{ type: 'array', items: { type: 'string', format: 'email' }, maxItems: MOST },
    description: 'Of email: who is written to.',
  })
  to?: string[] | null

  @Maybe(chatUrlFaults, { type: 'string', description: 'Of slack: the incoming webhook. It is never shown again.' })
  url?: string | null

  @Maybe(secondsFaults, {
    ...{ type: 'integer', minimum: 0, maximum: MAX_SECONDS, default: CHANNEL_DEFAULTS.group_seconds },
    description: 'So long it is waited for more to be told at once.',
  })
  group_seconds?: number | null

  @Maybe(secondsFaults, {
    ...{ type: 'integer', minimum: 0, maximum: MAX_SECONDS, default: CHANNEL_DEFAULTS.repeat_seconds },
    description: 'What still fires is told again after so long; 0: never.',
  })
  repeat_seconds?: number | null

  @Maybe(flagFaults, { type: 'boolean', default: true, description: 'Whether the end of an alert is told, too.' })
  send_resolved?: boolean | null

  @Maybe(flagFaults, { type: 'boolean', default: true })
  enabled?: boolean | null
}

/** POST /v1/alert-channels */
export class CreateAlertChannelBody extends PatchAlertChannelBody {
  static override readonly example = { type: 'email', name: 'on call', to: ['oncall@example.com'] }

  @Documented({ enum: [...CHANNEL_TYPES] })
  @IsIn(CHANNEL_TYPES, { message: `must be one of ${CHANNEL_TYPES.join(', ')}` })
  type: ChannelType

  @Faults(nameFaults, { type: 'string', maxLength: 256 })
  declare name: string

  @Documented(ALERT_SCOPE)
  @IsOptional()
  @IsIn(KEY_SCOPES, { message: 'must be tenant or platform' })
  scope?: KeyScope | null
}

/** Which alerts. */
export class AlertMatchView {
  @Documented({ ...NAMES, description: 'Empty: every one.' }) readonly rules: readonly string[]
  @Documented(SEVERITIES) readonly severities: readonly string[]
  @Documented(NAMES) readonly tenants: readonly string[]
  @Documented({ type: 'string', nullable: true }) readonly webhook: string | null
}

/** A channel, without what would let its reader write to it. */
export class AlertChannelView extends AlertMatchView {
  @Documented() readonly id: string
  @Documented({ enum: [...CHANNEL_TYPES] }) readonly type: ChannelType
  @Documented({ enum: [...KEY_SCOPES] }) readonly scope: KeyScope
  @Documented({ type: 'string', nullable: true }) readonly tenant: string | null
  @Documented() readonly name: string
  @Documented(NAMES) readonly to: readonly string[]
  @Documented({ type: 'string', nullable: true, description: 'Of slack: where its URL leads.' })
  readonly host: string | null
  @Documented({ type: 'integer' }) readonly group_seconds: number
  @Documented({ type: 'integer' }) readonly repeat_seconds: number
  @Documented({ type: 'boolean' }) readonly send_resolved: boolean
  @Documented({ type: 'boolean' }) readonly enabled: boolean
  @Documented(TIME) readonly created_at: string
  @Documented(TIME) readonly updated_at: string
  @Documented({ type: 'integer' }) readonly version: number
}

/** What came of a test. */
export class AlertChannelTestView {
  @Documented({ enum: [...NOTIFICATION_STATUSES], description: 'waiting: no monitor has sent it within some seconds.' })
  readonly status: (typeof NOTIFICATION_STATUSES)[number]
  @Documented({ type: 'string', nullable: true }) readonly error: string | null
}

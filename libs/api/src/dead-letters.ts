import { IsBoolean } from 'class-validator'
import type { DeliveryStatus, Problem } from '@posthorn/webhook'
import { timeFaults } from './audit.js'
import { Documented } from './documented.js'
import { DEAD_STATUSES } from './history-lists.js'
import { Faults } from './http-validation.js'
import { deliveriesFaults, refuse, REPLAY_SCHEMA, timeMismatches, typeFaults, webhookFaults } from './replays.js'
import { IfPresent } from './webhooks.js'

const SCHEMA = {
  ...REPLAY_SCHEMA,
  deliveries: { ...REPLAY_SCHEMA.deliveries, description: 'Ids of deliveries. Nothing else is chosen then.' },
  webhook: { type: 'string', description: 'Id of a webhook, which may be deleted.' },
  status: {
    type: 'array',
    items: { enum: [...DEAD_STATUSES] },
    minItems: 1,
    description: 'What the deliveries came to; unless given, any of these.',
  },
  dryRun: { type: 'boolean', default: false, description: 'Counts only: nothing is discarded.' },
} as const
const OPTIONAL = { required: false } as const

function statusFaults(value: unknown): Problem[] {
  const message = `must be an array of one or more of ${DEAD_STATUSES.join(', ')}`
  const fits = Array.isArray(value) && value.length > 0 && value.length <= DEAD_STATUSES.length
  return fits && value.every(one => DEAD_STATUSES.includes(one as never)) ? [] : [{ pointer: '', message }]
}

/** POST /v1/dead-letters/discard. Which fields go together is checked by checkDiscard(). */
export class DiscardDeadLettersBody {
  static readonly example = { webhook: 'webhook_01k9x3c5q8r7s6t4v2w1y0zabc', status: ['expired'] }

  @IfPresent()
  @Faults(deliveriesFaults, { ...SCHEMA.deliveries, ...OPTIONAL })
  deliveries?: string[]

  @IfPresent()
  @Faults(webhookFaults, { ...SCHEMA.webhook, ...OPTIONAL })
  webhook?: string

  @IfPresent()
  @Faults(typeFaults, { ...SCHEMA.eventType, ...OPTIONAL })
  event_type?: string

  @IfPresent()
  @Faults(statusFaults, { ...SCHEMA.status, ...OPTIONAL })
  status?: DeliveryStatus[]

  @IfPresent()
  @Faults(timeFaults, { ...SCHEMA.from, ...OPTIONAL })
  from?: string

  @IfPresent()
  @Faults(timeFaults, { ...SCHEMA.to, ...OPTIONAL })
  to?: string

  @Documented({ ...SCHEMA.dryRun, ...OPTIONAL })
  @IfPresent()
  @IsBoolean({ message: 'must be true or false' })
  dry_run = false
}

/** Throws ApiError request_invalid with every field that does not go with the others. */
export function checkDiscard(body: DiscardDeadLettersBody, now: number): void {
  refuse([...mismatches(body), ...timeMismatches(body, now)])
}

function mismatches(body: DiscardDeadLettersBody): Problem[] {
  const filters = (['webhook', 'event_type', 'status', 'from', 'to'] as const).filter(name => body[name] !== undefined)
  if (body.deliveries)
    return filters.map(name => ({ pointer: `/${name}`, message: 'must not be given beside deliveries' }))
  return filters.some(name => name !== 'to')
    ? []
    : [{ pointer: '', message: 'must have deliveries, webhook, event_type, status or from' }]
}

export class DiscardedView {
  @Documented({ type: 'integer', description: 'How many were discarded by this request; of a dry run, would be.' })
  readonly discarded: number
  @Documented({ description: 'One request discards 10,000 at most: there are more, ask again.' })
  readonly more: boolean
}

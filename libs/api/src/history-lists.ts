import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator'
import { DELIVERY_STATUSES, isDeadLetter, type DeliveryStatus, type OutcomeKind } from '@posthorn/webhook'
import { timeFaults } from './audit.js'
import { Documented } from './documented.js'
import { Faults } from './http-validation.js'
import { ListQuery } from './lists.js'

const MAX_ID = 256
const MAX_SOURCE = 1024
const ONE = { message: 'must be given once' }
const TIME = { type: 'string', format: 'date-time', required: false } as const

export const OUTCOMES = DELIVERY_STATUSES.filter((status): status is OutcomeKind => status !== 'pending')
export const DEAD_STATUSES = OUTCOMES.filter(isDeadLetter)

export const DEAD_LETTER_STATES = ['open', 'discarded'] as const
export type DeadLetterState = (typeof DEAD_LETTER_STATES)[number]

/** An optional text that is compared as a whole. */
export function Exact(description: string, maxLength = MAX_ID): PropertyDecorator {
  return (target, property) => {
    const message = `must have at most ${maxLength} characters`
    Documented({ type: 'string', maxLength, required: false, description })(target, property)
    for (const check of [IsOptional(), IsString(ONE), MaxLength(maxLength, { message })]) check(target, property)
  }
}

/** An optional word out of a list. */
function OneOf(values: readonly string[], description: string): PropertyDecorator {
  return (target, property) => {
    Documented({ enum: [...values], required: false, description })(target, property)
    for (const check of [IsOptional(), IsIn(values, { message: `must be one of ${values.join(', ')}` })])
      check(target, property)
  }
}

/** GET /v1/events/{id} */
export class EventQuery {
  @Exact('Picks one of several sources that use the same id.', MAX_SOURCE)
  source?: string
}

/** What every list of the history takes. That `from` is before `to` is checked by the use case. */
export class HistoryListQuery extends ListQuery {
  @IsOptional()
  @Faults(timeFaults, { ...TIME, description: 'At this time or later.' })
  from?: string

  @IsOptional()
  @Faults(timeFaults, { ...TIME, description: 'Before this time.' })
  to?: string
}

/** GET /v1/events; the time is that of acceptance. */
export class ListEventsQuery extends HistoryListQuery {
  @Exact('An event type.')
  type?: string

  @Exact('A source.', MAX_SOURCE)
  source?: string
}

/** GET /v1/deliveries; the time is that of the event's acceptance. */
export class ListDeliveriesQuery extends HistoryListQuery {
  @Exact('Id of a webhook.')
  webhook?: string

  @OneOf(DELIVERY_STATUSES, 'Only deliveries of this status.')
  status?: DeliveryStatus

  @Exact('The type of the event.')
  event_type?: string

  @Exact(`An event's id, of whatever source.`)
  event?: string

  @Exact('Id of a replay: deliveries that it was the last to send; 0: those of live traffic alone.')
  run?: string
}

/** GET /v1/dead-letters; the time is that of the event's acceptance. */
export class ListDeadLettersQuery extends HistoryListQuery {
  @Exact('Id of a webhook.')
  webhook?: string

  @OneOf(DEAD_STATUSES, 'Only deliveries that ended so.')
  status?: DeliveryStatus

  @Exact('The type of the event.')
  event_type?: string

  @Exact(`An event's id, of whatever source.`)
  event?: string

  @OneOf(DEAD_LETTER_STATES, 'Open ones (unless set), or those that were discarded.')
  state?: DeadLetterState
}

/** GET /v1/attempts; the time is that at which the attempt began. */
export class ListAttemptsQuery extends HistoryListQuery {
  @Exact('Id of a webhook.')
  webhook?: string

  @OneOf(OUTCOMES, 'Only attempts that ended so.')
  outcome?: OutcomeKind

  @Exact('The type of the event.')
  event_type?: string

  @Exact('Id of a delivery.')
  delivery?: string

  @Exact('Id of a replay; 0: attempts of live traffic.')
  run?: string
}

import { IsOptional } from 'class-validator'
import { isEventType } from '@posthorn/webhook'
import { Documented } from './documented.js'
import { Faults } from './http-validation.js'
import { NULLABLE } from './webhook-schema.js'

/** POST /v1/webhooks/{id}/test */
export class TestWebhookBody {
  static readonly example = { type: 'agent.error' }

  @IsOptional()
  @Faults(
    type => (isEventType(type) ? [] : [{ pointer: '', message: 'must be an event type such as agent.created' }]),
    {
      type: 'string',
      ...NULLABLE,
      description: 'A type of the catalogue; without it, one that the webhook takes.',
    },
  )
  type?: string | null
}

/** A sample event that is on its way to one webhook. */
export class TestView {
  @Documented({ description: 'For GET /v1/deliveries/{id}.' }) readonly delivery: string
  @Documented({ type: 'object', additionalProperties: true, description: 'The event, as it is sent.' })
  readonly event: Readonly<Record<string, unknown>>
}

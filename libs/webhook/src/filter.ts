import type { WebhookEvent } from './event.js'

/** A filter of a subscription, in the event pattern language of Amazon EventBridge. */
export type FilterPattern = Readonly<Record<string, unknown>>

/** A filter made ready once, when the subscription is read: true when the event is wanted. */
export type CompiledFilter = (event: WebhookEvent, data: Uint8Array) => boolean

const everything: CompiledFilter = () => true

/**
 * Compiles the filter of a subscription. Registration refuses filters until the language is there,
 * so a document that carries one was written by a newer version: matching it blindly would send
 * a tenant events it asked not to get.
 */
export function compileFilter(filter: FilterPattern | undefined): CompiledFilter {
  if (filter === undefined) return everything
  throw new Error('this version knows no filters: upgrade every router before webhooks use them')
}

import type { WebhookEvent } from './event.js'

/** What a webhook gets in order: nothing, the events of one partitionkey, or all of them. */
export const ORDERINGS = ['none', 'key', 'webhook'] as const
export type Ordering = (typeof ORDERINGS)[number]

/**
 * Deliveries of one webhook with the same text are sent one after another; undefined: in no order. An
 * event without a partitionkey has none to keep order by.
 */
export function orderOf(ordering: Ordering | undefined, { partitionkey }: WebhookEvent): string | undefined {
  switch (ordering) {
    case 'key':
      return partitionkey
    case 'webhook':
      return ''
    case 'none':
    case undefined:
      return undefined
  }
}

import { parseTypePattern, patternsMatching } from './event-type.js'
import type { WebhookEvent } from './event.js'
import { compileFilter, type CompiledFilter, type FilterPattern } from './filter.js'

/** The part of a webhook that says which events it receives. */
export interface Subscription {
  readonly webhook: string
  readonly tenant: string
  /** Types and patterns; see parseTypePattern. */
  readonly events: readonly string[]
  readonly filter?: FilterPattern
}

interface Entry<T> {
  readonly tenant: string
  readonly events: readonly string[]
  readonly filter: CompiledFilter
  readonly value: T
}

/**
 * All subscriptions of a router, indexed by tenant and type pattern, so that an event looks at its
 * candidates alone: the cost of a match does not grow with the webhooks that cannot match.
 */
export class SubscriptionIndex<T> {
  private readonly entries = new Map<string, Entry<T>>()
  private readonly byTenant = new Map<string, Map<string, Set<Entry<T>>>>()

  get size(): number {
    return this.entries.size
  }

  /** Adds or replaces the subscription of one webhook. Throws on a pattern that registration would have refused. */
  put(subscription: Subscription, value: T): void {
    for (const pattern of subscription.events)
      if (!parseTypePattern(pattern))
        throw new Error(`webhook ${subscription.webhook}: "${pattern}" is not an event type pattern`)
    const filter = compileFilter(subscription.filter)
    this.remove(subscription.webhook)
    const entry: Entry<T> = { tenant: subscription.tenant, events: subscription.events, filter, value }
    this.entries.set(subscription.webhook, entry)
    let patterns = this.byTenant.get(entry.tenant)
    if (!patterns) this.byTenant.set(entry.tenant, (patterns = new Map()))
    for (const pattern of entry.events) {
      const set = patterns.get(pattern)
      if (set) set.add(entry)
      else patterns.set(pattern, new Set([entry]))
    }
  }

  remove(webhook: string): void {
    const entry = this.entries.get(webhook)
    if (!entry) return
    this.entries.delete(webhook)
    const patterns = this.byTenant.get(entry.tenant)
    for (const pattern of entry.events) {
      const set = patterns?.get(pattern)
      set?.delete(entry)
      if (set?.size === 0) patterns?.delete(pattern)
    }
    if (patterns?.size === 0) this.byTenant.delete(entry.tenant)
  }

  /** The values of every subscription that takes this event, each once even if several patterns fit. */
  match(event: WebhookEvent, data: Uint8Array): T[] {
    const patterns = this.byTenant.get(event.tenant)
    if (!patterns) return []
    const found = new Set<Entry<T>>()
    for (const key of patternsMatching(event.type)) for (const entry of patterns.get(key) ?? []) found.add(entry)
    const values: T[] = []
    for (const entry of found) if (entry.filter(event, data)) values.push(entry.value)
    return values
  }
}

import { EventFields } from './event-fields.js'
import { parseTypePattern, patternsMatching } from './event-type.js'
import type { WebhookEvent } from './event.js'
import { ExactIndex } from './exact-index.js'
import { compileFilter, isIndexed, type CompiledFilter, type ExactField, type FilterPattern } from './filter.js'

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
  readonly matches: CompiledFilter['matches'] | undefined
  readonly value: T
  /** The number of the last event that this entry was looked at for: several patterns may lead to it. */
  seen: number
  /** Where it stands in the exact index of each of `events`: a field for each alternative of its filter. */
  readonly slots: (readonly ExactField[])[]
}

/** The subscriptions of one tenant to one type pattern. */
interface Group<T> {
  /** Without a filter. */
  readonly all: Set<Entry<T>>
  /** With a filter that wants an exact value of some field in each of its alternatives. */
  readonly exact: ExactIndex<Entry<T>>
  /** With any other filter: each is tried. */
  readonly tried: Set<Entry<T>>
}

/**
 * All subscriptions of a router, indexed by tenant, type pattern and one exact field of the filter, so
 * that an event looks at its candidates alone: the cost of a match does not grow with the webhooks
 * that cannot match. The data of an event is parsed once, and only for a candidate that looks at it.
 */
export class SubscriptionIndex<T> {
  private readonly entries = new Map<string, Entry<T>>()
  private readonly byTenant = new Map<string, Map<string, Group<T>>>()
  private events = 0

  get size(): number {
    return this.entries.size
  }

  /** Adds or replaces the subscription of one webhook. Throws on a pattern or filter that registration would refuse. */
  put({ webhook, tenant, events, filter }: Subscription, value: T): void {
    for (const pattern of events)
      if (!parseTypePattern(pattern)) throw new Error(`webhook ${webhook}: "${pattern}" is not an event type pattern`)
    const compiled = filter && compileFilter(filter)
    this.remove(webhook)
    const patterns = [...new Set(events)]
    const entry: Entry<T> = { tenant, events: patterns, matches: compiled?.matches, value, seen: 0, slots: [] }
    this.entries.set(webhook, entry)
    let groups = this.byTenant.get(tenant)
    if (!groups) this.byTenant.set(tenant, (groups = new Map()))
    for (const pattern of entry.events) {
      let group = groups.get(pattern)
      if (!group) groups.set(pattern, (group = { all: new Set(), exact: new ExactIndex(), tried: new Set() }))
      place(entry, compiled, group)
    }
  }

  remove(webhook: string): void {
    const entry = this.entries.get(webhook)
    if (!entry) return
    this.entries.delete(webhook)
    const groups = this.byTenant.get(entry.tenant)
    if (!groups) return
    for (const [i, pattern] of entry.events.entries()) {
      const group = groups.get(pattern)!
      group.all.delete(entry)
      group.tried.delete(entry)
      for (const field of entry.slots[i] ?? []) group.exact.remove(field, entry)
      if (group.all.size === 0 && group.tried.size === 0 && group.exact.isEmpty) groups.delete(pattern)
    }
    if (groups.size === 0) this.byTenant.delete(entry.tenant)
  }

  /** The values of every subscription that takes this event, each once even if several patterns fit. */
  match(event: WebhookEvent, data: Uint8Array): T[] {
    const values: T[] = []
    const groups = this.byTenant.get(event.tenant)
    if (!groups) return values
    const number = ++this.events
    const fields = new EventFields(event, data)
    const consider = (entry: Entry<T>) => {
      if (entry.seen === number) return
      entry.seen = number
      if (!entry.matches || entry.matches(fields)) values.push(entry.value)
    }
    for (const key of patternsMatching(event.type)) {
      const group = groups.get(key)
      if (!group) continue
      group.all.forEach(consider)
      group.exact.visit(fields, consider)
      group.tried.forEach(consider)
    }
    return values
  }
}

function place<T>(entry: Entry<T>, filter: CompiledFilter | undefined, { all, exact, tried }: Group<T>): void {
  if (!filter) all.add(entry)
  else if (!isIndexed(filter)) tried.add(entry)
  else {
    const slots = filter.exact.map(fields => rarest(fields, exact))
    entry.slots.push(slots)
    for (const field of slots) exact.add(field, entry)
  }
}

/** The most selective field, going by what is indexed already. */
function rarest<T>(fields: readonly ExactField[], index: ExactIndex<Entry<T>>): ExactField {
  return fields.reduce((best, field) => (index.share(field) < index.share(best) ? field : best))
}

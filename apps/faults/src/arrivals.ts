import { decodeDelivery, DELIVERIES } from '@posthorn/topics'
import type { Ledger, Request } from './ledger.js'
import type { LogRecord } from './topic-log.js'

/** Deliveries that have to arrive one after another, in their order. */
export interface Sequence {
  readonly webhook: string
  readonly order: string
  readonly deliveries: readonly string[]
}

/** What deliveries.v1 has of ordered webhooks, each delivery where it first stands. */
export function sequencesIn(log: readonly Pick<LogRecord, 'value'>[]): readonly Sequence[] {
  const sequences = new Map<string, { webhook: string; order: string; deliveries: Set<string> }>()
  for (const { value } of log) {
    const read = decodeDelivery(value)
    if (read.kind !== 'delivery') throw new Error(`${DELIVERIES.name} has a record that is ${read.kind}`)
    const { id, webhook, order } = read.delivery
    if (order === undefined) continue
    const name = JSON.stringify([webhook, order])
    const known = sequences.get(name)
    if (known) known.deliveries.add(id)
    else sequences.set(name, { webhook, order, deliveries: new Set([id]) })
  }
  return [...sequences.values()].map(({ deliveries, ...rest }) => ({ ...rest, deliveries: [...deliveries] }))
}

/**
 * Each place where a delivery first arrived before the one before it was over: taken, or given up. What
 * never arrived is left to those who ask for that.
 */
export function outOfOrder(sequences: readonly Sequence[], ledger: Pick<Ledger, 'requestsOf'>): string[] {
  return sequences.flatMap(({ webhook, order, deliveries }) => {
    const arrived = deliveries.filter(id => ledger.requestsOf(id).length > 0)
    return arrived.slice(1).flatMap((id, at) => {
      const before = arrived[at]!
      const [over, first] = [overAt(ledger.requestsOf(before)), firstAt(ledger.requestsOf(id))]
      if (over <= first) return []
      const [ended, came] = [over, first].map(ms => new Date(ms).toISOString())
      return [`${webhook} key "${order}": ${id} came at ${came}, and ${before} before it was over at ${ended} only`]
    })
  })
}

function firstAt(requests: readonly Request[]): number {
  return Math.min(...requests.map(({ at }) => at))
}

function overAt(requests: readonly Request[]): number {
  const taken = requests.filter(({ status }) => status >= 200 && status < 300)
  return taken.length > 0 ? firstAt(taken) : Math.max(...requests.map(({ at }) => at))
}

import { Fifo } from './fifo.js'

interface OfTenant {
  readonly tenant: string
}

/**
 * Whose turn it is: the tenants take turns, and within a tenant its webhooks do. A tenant with a
 * thousand busy webhooks gets no more than one with a single one, as long as both have work.
 */
export class Turns<Q extends OfTenant> {
  /** Tenants in the order of their turns, each once, and what each has. */
  private readonly tenants = new Fifo<string>()
  private readonly queues = new Map<string, Fifo<Q>>()
  private readonly joined = new Set<Q>()

  /** Gives it a turn after all that its tenant has; nothing if it has one. */
  join(queue: Q): void {
    if (this.joined.has(queue)) return
    this.joined.add(queue)
    const own = this.queues.get(queue.tenant)
    if (own) return own.push(queue)
    const first = new Fifo<Q>()
    first.push(queue)
    this.queues.set(queue.tenant, first)
    this.tenants.push(queue.tenant)
  }

  /** Takes out the next; undefined when there is none. */
  next(): Q | undefined {
    if (this.joined.size === 0) return undefined
    const tenant = this.tenants.shift()
    const own = this.queues.get(tenant)!
    const queue = own.shift()
    if (own.length === 0) this.queues.delete(tenant)
    else this.tenants.push(tenant)
    this.joined.delete(queue)
    return queue
  }
}

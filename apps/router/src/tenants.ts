import { metrics } from '@opentelemetry/api'
import { TableFollower, type KafkaConnection } from '@posthorn/kafka'
import { fromZero } from '@posthorn/telemetry'
import { decodeTenant, TENANTS, type Tenant } from '@posthorn/topics'
import { EventRate } from './event-rate.js'

/** What the tenants say about their events, from their compacted topic: it holds while the database is down. */
export class Tenants {
  private readonly rates = new Map<string, EventRate>()
  private readonly follower: TableFollower<Tenant>
  private readonly excess = fromZero(
    metrics.getMeter('posthorn').createCounter('posthorn_router_events_over_quota', {
      description: 'Events above the events_per_second of their tenant: their deliveries go through bulk.v1.',
    }),
  )

  constructor(connection: KafkaConnection, options: { fatal(error: Error): void }) {
    this.follower = new TableFollower<Tenant>(connection, {
      topic: TENANTS,
      decode: decodeTenant,
      fatal: options.fatal,
      onChange: (id, tenant) => this.change(id, tenant),
    })
  }

  /** Resolves when the table was read to its end: before that no tenant has said anything. */
  start(): Promise<void> {
    return this.follower.start()
  }

  stop(): Promise<void> {
    return this.follower.stop()
  }

  /** Resolves when all is read that is on the topic now. */
  readToEnd(): Promise<void> {
    return this.follower.readToEnd()
  }

  readiness(): string | undefined {
    return this.follower.isCaughtUp ? undefined : 'is reading the tenants'
  }

  /** Counts an event that Kafka accepted at `acceptedAt` (ms); whether it is more than its tenant may have. */
  isOver(tenant: string, acceptedAt: number): boolean {
    const over = this.rates.get(tenant)?.isOver(acceptedAt) ?? false
    if (over) this.excess.add(1)
    return over
  }

  /** Whether it takes events of types in its catalogue alone. */
  refusesUnknownTypes(tenant: string): boolean {
    return this.follower.get(tenant)?.unknownEventTypes === 'refuse'
  }

  private change(id: string, tenant: Tenant | undefined): void {
    if (tenant?.status !== 'active' || tenant.eventsPerSecond === undefined) this.rates.delete(id)
    else if (this.rates.get(id)?.perSecond !== tenant.eventsPerSecond)
      this.rates.set(id, new EventRate(tenant.eventsPerSecond))
  }
}

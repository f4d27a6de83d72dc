import { metrics } from '@opentelemetry/api'
import type { OutboxKind } from '@posthorn/store'

/** What the relay has done, by kind of document. */
export class RelayMetrics {
  private readonly meter = metrics.getMeter('posthorn')
  private readonly publications = this.meter.createCounter('posthorn_registry_published', {
    description: 'Documents published from the outbox.',
  })
  private readonly repairs = this.meter.createCounter('posthorn_registry_repaired', {
    description: 'Documents published again because the topic ended with another version.',
  })

  published(kind: OutboxKind): void {
    this.publications.add(1, { kind })
  }

  repaired(kind: OutboxKind): void {
    this.repairs.add(1, { kind })
  }
}

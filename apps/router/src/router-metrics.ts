import { metrics } from '@opentelemetry/api'
import { fromZero } from '@posthorn/telemetry'
import type { Routed } from './route.js'

const LABELS = {
  routed: { result: 'routed' },
  unmatched: { result: 'unmatched' },
  poison: { result: 'poison' },
} as const satisfies Record<Routed['result'], object>

const AGE_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600]

/** What the router tells about its work. */
export class RouterMetrics {
  private readonly meter = metrics.getMeter('posthorn')
  private readonly events = fromZero(
    this.meter.createCounter('posthorn_router_events', {
      description: 'Events read, by what became of them.',
    }),
    ...Object.values(LABELS),
  )
  private readonly deliveries = fromZero(
    this.meter.createCounter('posthorn_router_deliveries', {
      description: 'Deliveries acknowledged by Kafka.',
    }),
  )
  private readonly age = this.meter.createHistogram('posthorn_router_event_age_seconds', {
    description: 'Time from the acceptance of an event until all its deliveries were acknowledged.',
    unit: 's',
    advice: { explicitBucketBoundaries: AGE_BUCKETS_S },
  })

  constructor(queuedBytes: () => number) {
    this.meter
      .createObservableGauge('posthorn_router_output_queued_bytes', {
        description: 'Deliveries that wait for Kafka or are in flight to it.',
        unit: 'By',
      })
      .addCallback(result => result.observe(queuedBytes()))
  }

  /** An event is done; `acceptedAt` is its append time in ms. Probes are no attempts either: the two are compared. */
  settled({ result, deliveries, probe }: Routed, acceptedAt: number): void {
    if (probe) return
    this.events.add(1, LABELS[result])
    if (deliveries > 0) this.deliveries.add(deliveries)
    this.age.record(Math.max(0, Date.now() - acceptedAt) / 1000)
  }
}

import { metrics } from '@opentelemetry/api'
import { fromZero } from '@posthorn/telemetry'

const PUBLISHED = { result: 'published' }
const REFUSED = { result: 'refused' }
const UNAVAILABLE = { result: 'unavailable' }

const DURATION_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** What ingest tells about its work. */
export class PublishMetrics {
  private readonly meter = metrics.getMeter('posthorn')
  private readonly events = fromZero(
    this.meter.createCounter('posthorn_ingest_events', {
      description: 'Events published over HTTP, by result; a refused request counts once.',
    }),
    PUBLISHED,
    REFUSED,
    UNAVAILABLE,
  )
  private readonly duration = this.meter.createHistogram('posthorn_ingest_request_duration_seconds', {
    description: 'Time from the headers of a request to the end of its answer.',
    unit: 's',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS_S },
  })

  constructor(queuedBytes: () => number) {
    this.meter
      .createObservableGauge('posthorn_ingest_output_queued_bytes', {
        description: 'Events that wait for Kafka or are in flight to it.',
        unit: 'By',
      })
      .addCallback(result => result.observe(queuedBytes()))
  }

  published(events: number): void {
    this.events.add(events, PUBLISHED)
  }

  refused(): void {
    this.events.add(1, REFUSED)
  }

  unavailable(events: number): void {
    this.events.add(events, UNAVAILABLE)
  }

  answered(status: number, milliseconds: number): void {
    this.duration.record(milliseconds / 1000, { status })
  }
}

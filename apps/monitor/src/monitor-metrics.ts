import { metrics } from '@opentelemetry/api'
import type { HistoryWritten } from '@posthorn/store'
import { fromZero } from '@posthorn/telemetry'

const LABELS = {
  events: { kind: 'event' },
  deliveries: { kind: 'delivery' },
  attempts: { kind: 'attempt' },
  counters: { kind: 'counter' },
  poison: { kind: 'poison' },
} as const satisfies Record<keyof HistoryWritten, object>

const KINDS = Object.keys(LABELS) as (keyof HistoryWritten)[]
const DURATION_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60]

/** What the monitor tells about its own work. */
export class MonitorMetrics {
  private readonly meter = metrics.getMeter('posthorn')
  private readonly rows = this.meter.createCounter('posthorn_monitor_rows', {
    description: 'Rows of the history inserted or changed, by kind.',
  })
  private readonly duration = this.meter.createHistogram('posthorn_monitor_batch_duration_seconds', {
    description: 'Time that one transaction of history took.',
    unit: 's',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS_S },
  })
  private readonly aside = fromZero(
    this.meter.createCounter('posthorn_monitor_set_aside', {
      description: 'Records that history could not take and that went to poison.',
    }),
  )

  /** `lagSeconds`: age of the oldest record that is read and not in the history. */
  constructor(lagSeconds: () => number) {
    this.meter
      .createObservableGauge('posthorn_monitor_history_lag_seconds', {
        description: 'Age of the oldest record that was read and is not in the history yet.',
        unit: 's',
      })
      .addCallback(result => result.observe(lagSeconds()))
  }

  written(written: HistoryWritten, seconds: number): void {
    for (const kind of KINDS) if (written[kind] > 0) this.rows.add(written[kind], LABELS[kind])
    this.duration.record(seconds)
  }

  setAside(): void {
    this.aside.add(1)
  }
}

import { metrics } from '@opentelemetry/api'
import type { PoisonReason } from '@posthorn/topics'
import type { TierName } from '@posthorn/webhook'

/** What the retry-scheduler tells about its work. The lag of a delay topic says nothing: records are meant to wait. */
export class RetrySchedulerMetrics {
  private readonly meter = metrics.getMeter('posthorn')
  private readonly releases = this.meter.createCounter('posthorn_retry_scheduler_released', {
    description: 'Deliveries whose time had come, acknowledged in due.v1.',
  })
  private readonly moves = this.meter.createCounter('posthorn_retry_scheduler_moved', {
    description: 'Deliveries acknowledged in a further delay topic, by its tier.',
  })
  private readonly poison = this.meter.createCounter('posthorn_retry_scheduler_poison', {
    description: 'Records set aside, by reason.',
  })

  /** Gauges that are read when metrics are scraped. */
  observe(pending: () => number, oldestOverdueSeconds: () => number): void {
    this.meter
      .createObservableGauge('posthorn_retry_scheduler_pending', { description: 'Records held in memory.' })
      .addCallback(result => result.observe(pending()))
    this.meter
      .createObservableGauge('posthorn_retry_scheduler_overdue_oldest', {
        description: 'How long the oldest record is past its time.',
        unit: 's',
      })
      .addCallback(result => result.observe(oldestOverdueSeconds()))
  }

  released(): void {
    this.releases.add(1)
  }

  moved(tier: TierName): void {
    this.moves.add(1, { tier })
  }

  poisoned(reason: PoisonReason): void {
    this.poison.add(1, { reason })
  }
}

import { metrics } from '@opentelemetry/api'
import { fromZero } from '@posthorn/telemetry'
import type { PoisonReason } from '@posthorn/topics'
import { TIERS, type TierName } from '@posthorn/webhook'

const LATENESS_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600]

/** What the retry-scheduler tells about its work. The lag of a delay topic says nothing: records are meant to wait. */
export class RetrySchedulerMetrics {
  private readonly meter = metrics.getMeter('posthorn')
  private readonly releases = fromZero(
    this.meter.createCounter('posthorn_retry_scheduler_released', {
      description: 'Deliveries whose time had come, acknowledged in due.v1.',
    }),
  )
  private readonly lateness = this.meter.createHistogram('posthorn_retry_scheduler_lateness_seconds', {
    description: 'How long after its time a delivery was acknowledged in due.v1.',
    unit: 's',
    advice: { explicitBucketBoundaries: LATENESS_BUCKETS_S },
  })
  private readonly moves = fromZero(
    this.meter.createCounter('posthorn_retry_scheduler_moved', {
      description: 'Deliveries acknowledged in a further delay topic, by its tier.',
    }),
    ...TIERS.map(({ name }) => ({ tier: name })),
  )
  private readonly poison = fromZero(
    this.meter.createCounter('posthorn_retry_scheduler_poison', {
      description: 'Records set aside, by reason.',
    }),
    { reason: 'undecodable' },
    { reason: 'handler_failed' },
  )

  /** Gauges that are read when metrics are scraped. */
  observe(pending: () => number, overdueByTier: () => ReadonlyMap<TierName | 'due', number>): void {
    this.meter
      .createObservableGauge('posthorn_retry_scheduler_pending', { description: 'Records held in memory.' })
      .addCallback(result => result.observe(pending()))
    this.meter
      .createObservableGauge('posthorn_retry_scheduler_overdue_oldest_seconds', {
        description:
          'How long the oldest record is past its time, by tier; due: it has left its tier and is on its way to due.v1.',
        unit: 's',
      })
      .addCallback(result => {
        for (const [tier, seconds] of overdueByTier()) result.observe(seconds, { tier })
      })
  }

  released(secondsLate: number): void {
    this.releases.add(1)
    this.lateness.record(Math.max(0, secondsLate))
  }

  moved(tier: TierName): void {
    this.moves.add(1, { tier })
  }

  poisoned(reason: PoisonReason): void {
    this.poison.add(1, { reason })
  }
}

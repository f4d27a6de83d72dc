import { metrics } from '@opentelemetry/api'
import type { HealthCounts } from '@posthorn/store'
import { fromZero } from '@posthorn/telemetry'
import type { WebhookHealth } from '@posthorn/topics'

const TOLD = ['failing', 'due', 'healthy'] as const satisfies readonly WebhookHealth['health'][]

/** What the monitor tells about the health of webhooks. */
export class HealthMetrics {
  private readonly meter = metrics.getMeter('posthorn')
  private readonly changes = fromZero(
    this.meter.createCounter('posthorn_monitor_webhook_health_changes', {
      description: 'Webhooks that were told to be failing, due to be disabled, or healthy again, by health.',
    }),
    ...TOLD.map(health => ({ health })),
  )
  private counts: HealthCounts | undefined

  constructor() {
    this.meter
      .createObservableGauge('posthorn_monitor_webhooks_failing', {
        description: 'Webhooks whose last attempt failed (warned: no), and those that were warned of (yes).',
      })
      .addCallback(result => {
        if (!this.counts) return
        result.observe(this.counts.failing - this.counts.warned, { warned: 'no' })
        result.observe(this.counts.warned, { warned: 'yes' })
      })
  }

  changed(health: WebhookHealth['health']): void {
    this.changes.add(1, { health })
  }

  counted(counts: HealthCounts): void {
    this.counts = counts
  }
}

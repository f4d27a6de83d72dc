import { metrics } from '@opentelemetry/api'
import type { RunEnd } from './run-replay.js'

/** What the replayer tells about its work. */
export class ReplayerMetrics {
  private readonly meter = metrics.getMeter('posthorn')
  private readonly count = this.meter.createCounter('posthorn_replayer_deliveries', {
    description: 'Deliveries that replays chose, by whether they were sent.',
  })
  private readonly ends = this.meter.createCounter('posthorn_replayer_ended', {
    description: 'Times that work on a replay ended, by why.',
  })

  /** How many replays are worked on now. */
  observe(working: () => number): void {
    this.meter
      .createObservableGauge('posthorn_replayer_working', { description: 'Replays that this process works on.' })
      .addCallback(result => result.observe(working()))
  }

  deliveries(sent: number, skipped: number): void {
    if (sent > 0) this.count.add(sent, { result: 'sent' })
    if (skipped > 0) this.count.add(skipped, { result: 'skipped' })
  }

  ended(why: RunEnd | 'failed'): void {
    this.ends.add(1, { why })
  }
}

import { metrics } from '@opentelemetry/api'

/** How far back one group's work on one topic reaches, and how much of the topic's retention that is. */
export interface TopicAge {
  readonly group: string
  readonly topic: string
  readonly seconds: number
  /** 1: the next record is lost. */
  readonly used: number
}

/** What the monitor tells about records that Kafka may take before they are finished. */
export class RetentionMetrics {
  private readonly meter = metrics.getMeter('posthorn')
  private ages: readonly TopicAge[] = []
  private parked: number | undefined

  constructor() {
    const gauge = (name: string, description: string, unit?: string) =>
      this.meter.createObservableGauge(name, { description, ...(unit === undefined ? {} : { unit }) })
    gauge(
      'posthorn_monitor_oldest_unfinished',
      'Age of the oldest record that a consumer group has not finished, by topic.',
      's',
    ).addCallback(result => {
      for (const { group, topic, seconds } of this.ages) result.observe(seconds, { group, topic })
    })
    gauge(
      'posthorn_monitor_retention_used',
      "That age as a share of the topic's retention; at 1 records are lost.",
    ).addCallback(result => {
      for (const { group, topic, used } of this.ages) result.observe(used, { group, topic })
    })
    gauge(
      'posthorn_monitor_parked_retention_used',
      'Age of the oldest parked record as a share of the retention of deliveries.v1.',
    ).addCallback(result => {
      if (this.parked !== undefined) result.observe(this.parked)
    })
  }

  /** What was found just now; nothing while Kafka does not answer. */
  found(ages: readonly TopicAge[], parked: number | undefined): void {
    this.ages = ages
    this.parked = parked
  }
}

import { metrics } from '@opentelemetry/api'

/** How far back one group's work on one topic reaches, and how much of the topic's retention that is. */
export interface TopicAge {
  readonly group: string
  readonly topic: string
  readonly seconds: number
  /** Records after what the group has committed. */
  readonly records: number
  /** Age in seconds of the oldest unfinished record of each partition; 0: all are finished. */
  readonly heads: readonly number[]
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
      'posthorn_monitor_oldest_unfinished_seconds',
      'Age of the oldest record that a consumer group has not finished, by topic.',
      's',
    ).addCallback(result => {
      for (const { group, topic, seconds } of this.ages) result.observe(seconds, { group, topic })
    })
    gauge(
      'posthorn_monitor_lag_records',
      'Records that a consumer group has not finished, by topic; of a delay topic it says nothing, because they are meant to wait.',
    ).addCallback(result => {
      for (const { group, topic, records } of this.ages) result.observe(records, { group, topic })
    })
    gauge(
      'posthorn_monitor_head_age_seconds',
      'Age of the oldest record that a consumer group has not finished, by partition.',
      's',
    ).addCallback(result => {
      for (const { group, topic, heads } of this.ages)
        heads.forEach((age, partition) => result.observe(age, { group, topic, partition: String(partition) }))
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

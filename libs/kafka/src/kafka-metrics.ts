import { metrics, type BatchObservableResult } from '@opentelemetry/api'
import { fromZero } from '@posthorn/telemetry'

/** Why records had to be sent again, or were given up. */
const FAULTS = ['failed', 'not_let_in', 'left_out', 'refused'] as const
export type ProduceFault = (typeof FAULTS)[number]

const DURATION_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60]

/** What all producers of a process tell about their sends; of a send, not of each record. */
export class ProduceMetrics {
  private readonly meter = metrics.getMeter('posthorn')
  private readonly records = this.meter.createCounter('posthorn_kafka_produced_records', {
    description: 'Records acknowledged by all replicas in sync, by topic.',
  })
  private readonly faults = fromZero(
    this.meter.createCounter('posthorn_kafka_produce_errors', {
      description: 'Sends that did not bring all their records to Kafka, by why; all but the refused are sent again.',
    }),
    ...FAULTS.map(reason => ({ reason })),
  )
  private readonly duration = this.meter.createHistogram('posthorn_kafka_produce_duration_seconds', {
    description: 'Time from a send until it was acknowledged.',
    unit: 's',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS_S },
  })

  /** `prefix` is what is left out of the names of topics, so that they are those of the documentation. */
  constructor(private readonly prefix: string) {}

  acknowledged(topic: string, records: number): void {
    this.records.add(records, { topic: topic.startsWith(this.prefix) ? topic.slice(this.prefix.length) : topic })
  }

  failed(reason: ProduceFault): void {
    this.faults.add(1, { reason })
  }

  sent(milliseconds: number): void {
    this.duration.record(milliseconds / 1000)
  }
}

/** What a consumer holds now. */
export interface Holding {
  readonly partitions: number
  readonly unfinished: number
  readonly unfinishedBytes: number
}

/** What a consumer tells about its group. */
export class ConsumerMetrics {
  private readonly meter = metrics.getMeter('posthorn')
  private readonly rebalances = this.meter.createCounter('posthorn_kafka_rebalances', {
    description: 'Times that this process joined its group, the first one included.',
  })

  private readonly partitions = this.meter.createObservableGauge('posthorn_kafka_partitions', {
    description: 'Partitions that this process holds, by group.',
  })
  private readonly records = this.meter.createObservableGauge('posthorn_kafka_unfinished_records', {
    description: 'Records read and not finished, by group.',
  })
  private readonly bytes = this.meter.createObservableGauge('posthorn_kafka_unfinished_bytes', {
    description: 'Their bytes, by group; at the bound nothing more is read.',
    unit: 'By',
  })
  private readonly observed = [this.partitions, this.records, this.bytes]

  constructor(
    private readonly group: string,
    private readonly holding: () => Holding,
  ) {
    this.meter.addBatchObservableCallback(this.observe, this.observed)
  }

  /** Consumers of source topics come and go. */
  end(): void {
    this.meter.removeBatchObservableCallback(this.observe, this.observed)
  }

  joined(): void {
    this.rebalances.add(1, { group: this.group })
  }

  private readonly observe = (result: BatchObservableResult) => {
    const { partitions, unfinished, unfinishedBytes } = this.holding()
    const labels = { group: this.group }
    result.observe(this.partitions, partitions, labels)
    result.observe(this.records, unfinished, labels)
    result.observe(this.bytes, unfinishedBytes, labels)
  }
}

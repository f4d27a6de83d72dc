import { metrics } from '@opentelemetry/api'

/** What became of a record. */
export type SourceResult = 'accepted' | 'poisoned' | 'skipped'

/** What a source does now: `waiting` has no topic to read yet. */
export type SourceState = 'reading' | 'waiting' | 'failed' | 'paused'

/** One source, as it is seen from outside. */
export interface SourceReport {
  readonly source: string
  readonly state: SourceState
  /** Records behind, by topic, over the partitions that this process holds. */
  readonly lag: ReadonlyMap<string, number>
}

/** What ingest tells about source topics. Ids of sources are few, and chosen by the operator. */
export class SourceMetrics {
  private readonly meter = metrics.getMeter('posthorn')
  private readonly records = this.meter.createCounter('posthorn_ingest_source_records', {
    description: 'Records of source topics, by what became of them.',
  })

  constructor(reports: () => Iterable<SourceReport>) {
    this.meter
      .createObservableGauge('posthorn_ingest_source_lag', {
        description: 'Records of a source topic not yet accepted, over the partitions that this process holds.',
      })
      .addCallback(result => {
        for (const { source, lag } of reports())
          for (const [topic, records] of lag) result.observe(records, { source, topic })
      })
    this.meter
      .createObservableGauge('posthorn_ingest_source_state', {
        description: '1 for the state that a source is in: reading, waiting (no topic yet), failed or paused.',
      })
      .addCallback(result => {
        for (const { source, state } of reports()) result.observe(1, { source, state })
      })
  }

  settled(source: string, result: SourceResult): void {
    this.records.add(1, { source, result })
  }
}

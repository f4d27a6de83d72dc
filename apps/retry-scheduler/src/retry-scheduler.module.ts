import { Module, type DynamicModule } from '@nestjs/common'
import { SafeProducer, type KafkaConnection } from '@posthorn/kafka'
import type { ServiceContext } from '@posthorn/process'
import { DelaysEdge } from './delays.edge.js'
import { ReleaseLoop } from './release-loop.js'
import { RetrySchedulerMetrics } from './retry-scheduler-metrics.js'

/** What is read ahead at most, in all partitions together, however many retries are pending: two seconds of releases of 1 KiB. */
const READ_AHEAD = { records: 50_000, bytes: 32 * 1024 * 1024 }

/** Above the bar of 10,000/s for what is overdue, below what the deliverers behind due.v1 can take in. */
const RELEASES_PER_SECOND = 12_000

/** The queue refers to bytes that are held anyway, but kafkajs copies each send several times over: small sends, small peaks. */
const MAX_QUEUED_BYTES = 2 * 1024 * 1024

@Module({})
export class RetrySchedulerModule {
  static with(connection: KafkaConnection, { fatal }: ServiceContext): DynamicModule {
    return {
      module: RetrySchedulerModule,
      controllers: [DelaysEdge],
      providers: [
        {
          provide: SafeProducer,
          useFactory: () => new SafeProducer(connection, { maxQueuedBytes: MAX_QUEUED_BYTES }),
        },
        {
          provide: ReleaseLoop,
          inject: [SafeProducer],
          useFactory: (output: SafeProducer) => releaseLoop(output, fatal),
        },
      ],
    }
  }
}

function releaseLoop(output: SafeProducer, fatal: (error: Error) => void): ReleaseLoop {
  const metrics = new RetrySchedulerMetrics()
  const loop = new ReleaseLoop({
    now: Date.now,
    output,
    limits: READ_AHEAD,
    perSecond: RELEASES_PER_SECOND,
    metrics,
    fatal,
  })
  metrics.observe(
    () => loop.pending(),
    () => loop.overdueByTier(),
  )
  return loop
}

import { NestFactory } from '@nestjs/core'
import type { MicroserviceOptions } from '@nestjs/microservices'
import { KafkaBatchStrategy, KafkaConnection, kafkaOptionsFrom, SafeProducer } from '@posthorn/kafka'
import type { RunningService, Service, ServiceContext } from '@posthorn/process'
import { NestLogger } from '@posthorn/telemetry'
import { RETRY_SCHEDULER_GROUP } from '@posthorn/topics'
import { ReleaseLoop } from './release-loop.js'
import { RetrySchedulerModule } from './retry-scheduler.module.js'

/** The read-ahead pauses partitions one by one, fairly; the consumer's own bound, over all at once, must not come first. */
const MAX_UNFINISHED_BYTES = 256 * 1024 * 1024

/** Small answers, small garbage; a partition brings at most a quarter of it beyond its share of the read-ahead. */
const MAX_FETCH_BYTES = 2 * 1024 * 1024

/** Longer than a healthy Kafka needs for what is in flight; the rest is released again by the next owner. */
const FLUSH_MS = 5_000

/** Lets retries wait for their time: delay topics to due.v1. */
export const retrySchedulerService: Service = { target: 'retry-scheduler', start }

async function start(context: ServiceContext): Promise<RunningService> {
  const { settings, logger, health, fatal } = context
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'retry-scheduler'))
  const strategy = new KafkaBatchStrategy(connection, {
    group: RETRY_SCHEDULER_GROUP,
    fatal,
    maxUnfinishedBytes: MAX_UNFINISHED_BYTES,
    maxFetchBytes: MAX_FETCH_BYTES,
    onAssigned: claims => loop.open(claims),
  })
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(
    RetrySchedulerModule.with(connection, context),
    { strategy, logger: new NestLogger(logger), abortOnError: false },
  )
  const loop: ReleaseLoop = app.get(ReleaseLoop)
  const producer = app.get(SafeProducer)
  await producer.connect()
  loop.start()
  await app.listen()
  health.addReadiness('retry-scheduler.consumer', () => strategy.consumer.readiness())
  health.addLiveness('retry-scheduler.consumer', () => strategy.consumer.liveness())
  return { addresses: {}, stop }

  // Not drained: what waits, waits for hours. It stays in its topic, uncommitted.
  async function stop(): Promise<void> {
    loop.stop()
    await within(FLUSH_MS, producer.flush())
    await app.close()
    await producer.close()
  }
}

function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout
  const bound = new Promise<void>(resolve => (timer = setTimeout(resolve, ms)))
  return Promise.race([work, bound]).finally(() => clearTimeout(timer))
}

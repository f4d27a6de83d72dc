import { NestFactory } from '@nestjs/core'
import type { MicroserviceOptions } from '@nestjs/microservices'
import { KafkaBatchStrategy, KafkaConnection, kafkaOptionsFrom, SafeProducer } from '@posthorn/kafka'
import { SettingsError, type RunningService, type Service, type ServiceContext } from '@posthorn/process'
import { missingRights, openHistoryPool, SERVICE_RIGHTS, type SqlPool } from '@posthorn/store'
import { NestLogger } from '@posthorn/telemetry'
import { MONITOR_GROUP } from '@posthorn/topics'
import { DayKeeper } from './keep-days.js'
import { MonitorModule } from './monitor.module.js'
import { ParkedWebhooks } from './parked-webhooks.js'
import { HealthPublisher } from './publish-health.js'
import { AlertLoop } from './raise-alerts.js'
import { HistoryRecorder } from './record-history.js'
import { RetentionWatch } from './watch-retention.js'

/** For the open batch; what is not written then is read again by the next owner. */
const FINISH_MS = 5_000
const CLOSE_POOL_MS = 2_000
/** One transaction at a time, one connection that makes partitions, one that drops them, one for health, one for alerts. */
const CONNECTIONS = 5
/** Read and not in the history yet; a few full batches. */
const MAX_UNFINISHED_BYTES = 12 * 1024 * 1024

/** History may be a quarter of a second late; fewer, larger fetches and transactions cost half as much. */
const UNHURRIED = { minBytes: 256 * 1024, maxWaitMs: 250 }

/** Writes the history of events, deliveries and attempts to Postgres. */
export const monitorService: Service = { target: 'monitor', start }

async function start(context: ServiceContext): Promise<RunningService> {
  const { settings, logger, health, fatal } = context
  const pool = openHistoryPool(databaseUrlOf(settings.databaseUrl), {
    max: Math.min(CONNECTIONS, settings.databasePool),
    name: 'posthorn-monitor',
    onError: error => logger.warn({ err: error }, 'a connection to Postgres broke'),
  })
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'monitor'))
  const strategy = new KafkaBatchStrategy(connection, {
    group: MONITOR_GROUP,
    fatal,
    copartitioned: true,
    maxUnfinishedBytes: MAX_UNFINISHED_BYTES,
    unhurried: UNHURRIED,
  })
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(MonitorModule.with(connection, pool, context), {
    strategy,
    logger: new NestLogger(logger),
    abortOnError: false,
  })
  const recorder = app.get(HistoryRecorder)
  const producer = app.get(SafeProducer)
  const days = app.get(DayKeeper)
  const healthPublisher = app.get(HealthPublisher)
  const alerts = app.get(AlertLoop)
  const parked = app.get(ParkedWebhooks)
  const retention = app.get(RetentionWatch)
  await producer.connect()
  // Away, it says nothing: then what was found missing later is in the warnings of those who miss it.
  void tellMissingRights(pool, logger)
  days.start()
  healthPublisher.start()
  alerts.start()
  void parked.start()
  await app.listen()
  retention.start()
  health.addReadiness('monitor.consumer', () => strategy.consumer.readiness())
  health.addReadiness('monitor.history', () => recorder.readiness())
  health.addLiveness('monitor.consumer', () => strategy.consumer.liveness())
  return { addresses: {}, stop }

  async function stop(): Promise<void> {
    days.stop()
    recorder.hurry()
    await within(FINISH_MS, strategy.consumer.drain())
    recorder.stop()
    await app.close()
    await within(FINISH_MS, Promise.all([alerts.stop(), healthPublisher.stop(), parked.stop(), retention.stop()]))
    await producer.close()
    await within(CLOSE_POOL_MS, pool.end())
  }
}

async function tellMissingRights(pool: SqlPool, logger: ServiceContext['logger']): Promise<void> {
  const missing = await missingRights(pool, SERVICE_RIGHTS.monitor).catch(() => undefined)
  if (missing !== undefined) logger.error({ alert: 'database_rights' }, missing)
}

function databaseUrlOf(url: string | undefined): string {
  if (url === undefined)
    throw new SettingsError(['POSTHORN_DATABASE_URL: the monitor writes history to Postgres: set it to postgres://…'])
  return url
}

function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout
  const bound = new Promise<void>(resolve => (timer = setTimeout(resolve, ms)))
  return Promise.race([work.then(() => undefined), bound]).finally(() => clearTimeout(timer))
}

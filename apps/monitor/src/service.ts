import { NestFactory } from '@nestjs/core'
import type { MicroserviceOptions } from '@nestjs/microservices'
import { Egress } from '@posthorn/egress'
import { KafkaBatchStrategy, KafkaConnection, kafkaOptionsFrom, SafeProducer } from '@posthorn/kafka'
import { SettingsError, type RunningService, type Service, type ServiceContext } from '@posthorn/process'
import { missingRights, openHistoryPool, SERVICE_RIGHTS, type SqlPool } from '@posthorn/store'
import { NestLogger } from '@posthorn/telemetry'
import { MONITOR_GROUP } from '@posthorn/topics'
import { DayKeeper } from './keep-days.js'
import { MonitorModule } from './monitor.module.js'
import { Notifier } from './notify.js'
import { ParkedWebhooks } from './parked-webhooks.js'
import { HealthPublisher } from './publish-health.js'
import { AlertLoop } from './raise-alerts.js'
import { HistoryRecorder } from './record-history.js'
import { MailSender } from './send-mail.js'
import { Prober } from './send-probes.js'
import { KafkaWatch } from './watch-kafka.js'

/** For the open batch; what is not written then is read again by the next owner. */
const FINISH_MS = 5_000
const CLOSE_POOL_MS = 2_000
/** One transaction at a time, one connection that makes partitions, one that drops them, one each for health, alerts and notifications. */
const CONNECTIONS = 6
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
  const notifier = app.get(Notifier)
  const parked = app.get(ParkedWebhooks)
  const [watch, prober] = [app.get(KafkaWatch), app.get(Prober)]
  await producer.connect()
  // Away, it says nothing: then what was found missing later is in the warnings of those who miss it.
  void tellMissingRights(pool, logger)
  days.start()
  healthPublisher.start()
  alerts.start()
  notifier.start()
  void parked.start()
  await app.listen()
  watch.start()
  prober.start()
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
    const loops = [alerts, notifier, healthPublisher, parked, watch, prober]
    await within(FINISH_MS, Promise.all(loops.map(loop => loop.stop())))
    app.get(MailSender).close()
    await within(FINISH_MS, app.get(Egress).close())
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

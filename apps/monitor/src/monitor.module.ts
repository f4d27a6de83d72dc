import { readFileSync } from 'node:fs'
import { Module, type DynamicModule } from '@nestjs/common'
import { Egress, egressOptionsFrom } from '@posthorn/egress'
import { readOldestUnfinished, readUnderReplicated, SafeProducer, type KafkaConnection } from '@posthorn/kafka'
import type { ServiceContext } from '@posthorn/process'
import { Sealer } from '@posthorn/sealing'
import {
  AlertKeeper,
  AlertNotifications,
  HealthKeeper,
  HealthReports,
  HistoryPartitions,
  HistoryWriter,
  noteSignals,
  sendOwnEvents,
  type SqlPool,
} from '@posthorn/store'
import { ALL_GROUPS, ALL_TOPICS, groupName, MONITOR_GROUP } from '@posthorn/topics'
import { builtInRules } from '@posthorn/webhook'
import { AlertsInLog } from './alerts-in-log.js'
import { HealthMetrics } from './health-metrics.js'
import { HistoryEdge } from './history.edge.js'
import { DayKeeper } from './keep-days.js'
import { MonitorMetrics } from './monitor-metrics.js'
import { Notifier } from './notify.js'
import { ParkedWebhooks } from './parked-webhooks.js'
import { HealthPublisher } from './publish-health.js'
import { AlertLoop } from './raise-alerts.js'
import { readEntry } from './read-entry.js'
import { HistoryRecorder } from './record-history.js'
import { Prober } from './send-probes.js'
import { RetentionMetrics } from './retention-metrics.js'
import { ChatSender } from './send-chat.js'
import { MailSender } from './send-mail.js'
import { KafkaWatch } from './watch-kafka.js'

const { version: VERSION } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** What was not acknowledged by then is sent again; a transaction waits for it meanwhile. */
const SEND_MS = 10_000

/** It always exists. */
const DEFAULT_TENANT = 'default'

@Module({})
export class MonitorModule {
  static with(connection: KafkaConnection, pool: SqlPool, context: ServiceContext): DynamicModule {
    const { settings, logger, fatal } = context
    return {
      module: MonitorModule,
      controllers: [HistoryEdge],
      providers: [
        { provide: SafeProducer, useFactory: () => new SafeProducer(connection) },
        {
          provide: HistoryPartitions,
          useFactory: () => new HistoryPartitions(pool, settings.monitorRetentionDays),
        },
        {
          provide: DayKeeper,
          inject: [HistoryPartitions],
          useFactory: (partitions: HistoryPartitions) => new DayKeeper(partitions, logger),
        },
        {
          provide: HistoryRecorder,
          inject: [SafeProducer, HistoryPartitions],
          useFactory: (producer: SafeProducer, partitions: HistoryPartitions) =>
            recorder(
              connection,
              context,
              producer,
              new HistoryWriter(pool, partitions, groupName(connection.prefix, MONITOR_GROUP), [
                healthKeeper(settings),
                { note: noteSignals },
              ]),
            ),
        },
        {
          provide: HealthPublisher,
          inject: [SafeProducer],
          useFactory: (producer: SafeProducer) =>
            new HealthPublisher({
              reports: new HealthReports(pool),
              sendOwn: (limit, send) => sendOwnEvents(pool, limit, send),
              send: (topic, record) => producer.send(topic, record, { timeoutMs: SEND_MS }),
              metrics: new HealthMetrics(),
              logger,
            }),
        },
        {
          provide: AlertLoop,
          inject: [KafkaWatch],
          useFactory: (watch: KafkaWatch) => alertLoop(pool, context, watch),
        },
        {
          provide: Prober,
          inject: [SafeProducer],
          useFactory: (producer: SafeProducer) =>
            new Prober({
              everyMs: settings.proberIntervalSeconds * 1000,
              send: (topic, record) => producer.send(topic, record, { timeoutMs: SEND_MS }),
              logger,
            }),
        },
        { provide: Egress, useFactory: () => Egress.from({ ...egressOptionsFrom(settings), ...OWN_DOOR }) },
        { provide: MailSender, useFactory: () => new MailSender(settings.monitorSmtpUrl, settings.monitorSmtpFrom) },
        {
          provide: Notifier,
          inject: [Egress, MailSender],
          useFactory: (egress: Egress, mail: MailSender) => notifier(pool, context, egress, mail),
        },
        { provide: ParkedWebhooks, useFactory: () => new ParkedWebhooks(connection, fatal) },
        {
          provide: KafkaWatch,
          inject: [ParkedWebhooks],
          useFactory: (parked: ParkedWebhooks) => kafkaWatch(connection, context, parked),
        },
      ],
    }
  }
}

function healthKeeper({ webhookDisableAfterSeconds, webhookWarnAt }: ServiceContext['settings']): HealthKeeper {
  return new HealthKeeper({ disableAfterSeconds: webhookDisableAfterSeconds, warnAt: webhookWarnAt })
}

const OWN_DOOR = { sockets: 16, userAgent: `Posthorn/${VERSION}` }
/** Looks at the database between two at Kafka. */
const KAFKA_EVERY = 6

function alertLoop(pool: SqlPool, { settings, logger }: ServiceContext, watch: KafkaWatch): AlertLoop {
  const builtIn = builtInRules({
    successRate: settings.monitorAlertSuccessRate,
    windowSeconds: settings.monitorAlertWindowSeconds,
    rules: settings.alertRules,
  })
  const keeper = new AlertKeeper(pool, {
    builtIn,
    platformTenant: settings.ingestDefaultTenant === '' ? DEFAULT_TENANT : settings.ingestDefaultTenant,
    keptDays: settings.monitorRetentionDays,
  })
  return new AlertLoop({
    keeper,
    outside: () => watch.readings(),
    inLog: new AlertsInLog(builtIn, logger),
    everySeconds: settings.monitorAlertEverySeconds,
    logger,
  })
}

function kafkaWatch(
  connection: KafkaConnection,
  { settings, logger }: ServiceContext,
  parked: ParkedWebhooks,
): KafkaWatch {
  return new KafkaWatch({
    read: () => readOldestUnfinished(connection, ALL_GROUPS),
    underReplicated: () => readUnderReplicated(connection, ALL_TOPICS),
    parked: () => parked.oldest(),
    now: Date.now,
    everySeconds: settings.monitorAlertEverySeconds * KAFKA_EVERY,
    metrics: new RetentionMetrics(),
    logger,
  })
}

function notifier(pool: SqlPool, { settings, logger }: ServiceContext, egress: Egress, mail: MailSender): Notifier {
  const chat = new ChatSender(egress, settings.sealingKeys.length === 0 ? undefined : new Sealer(settings.sealingKeys))
  return new Notifier({
    notifications: new AlertNotifications(pool),
    send: {
      email: (notification, text) => mail.send(notification, text),
      slack: (notification, text) => chat.send(notification, text),
    },
    logger,
  })
}

function recorder(
  connection: KafkaConnection,
  { settings, logger, fatal }: ServiceContext,
  producer: SafeProducer,
  writer: HistoryWriter,
): HistoryRecorder {
  const defaultTenant = settings.ingestDefaultTenant === '' ? undefined : settings.ingestDefaultTenant
  return new HistoryRecorder({
    read: record => readEntry(record, defaultTenant),
    write: (entries, now) => writer.write(entries, now),
    send: (topic, record) => producer.send(topic, record),
    topicName: topic => connection.topic(topic),
    metrics: lagSeconds => new MonitorMetrics(lagSeconds),
    logger,
    fatal,
  })
}

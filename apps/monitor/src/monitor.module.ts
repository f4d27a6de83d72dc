import { Module, type DynamicModule } from '@nestjs/common'
import { readOldestUnfinished, SafeProducer, type KafkaConnection } from '@posthorn/kafka'
import type { ServiceContext } from '@posthorn/process'
import {
  AlertKeeper,
  HealthKeeper,
  HealthReports,
  HistoryPartitions,
  HistoryWriter,
  sendOwnEvents,
  type SqlPool,
} from '@posthorn/store'
import { ALL_GROUPS, groupName, MONITOR_GROUP } from '@posthorn/topics'
import { HealthMetrics } from './health-metrics.js'
import { HistoryEdge } from './history.edge.js'
import { DayKeeper } from './keep-days.js'
import { MonitorMetrics } from './monitor-metrics.js'
import { ParkedWebhooks } from './parked-webhooks.js'
import { HealthPublisher } from './publish-health.js'
import { AlertLoop } from './raise-alerts.js'
import { readEntry } from './read-entry.js'
import { HistoryRecorder } from './record-history.js'
import { RetentionMetrics } from './retention-metrics.js'
import { RetentionWatch } from './watch-retention.js'

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
              new HistoryWriter(pool, partitions, groupName(connection.prefix, MONITOR_GROUP), healthKeeper(settings)),
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
        { provide: AlertLoop, useFactory: () => new AlertLoop({ keeper: alertKeeper(pool, settings), logger }) },
        { provide: ParkedWebhooks, useFactory: () => new ParkedWebhooks(connection, fatal) },
        {
          provide: RetentionWatch,
          inject: [ParkedWebhooks],
          useFactory: (parked: ParkedWebhooks) =>
            new RetentionWatch({
              read: () => readOldestUnfinished(connection, ALL_GROUPS),
              parked: () => parked.oldest(),
              now: Date.now,
              metrics: new RetentionMetrics(),
              logger,
            }),
        },
      ],
    }
  }
}

function healthKeeper({ webhookDisableAfterSeconds, webhookWarnAt }: ServiceContext['settings']): HealthKeeper {
  return new HealthKeeper({ disableAfterSeconds: webhookDisableAfterSeconds, warnAt: webhookWarnAt })
}

function alertKeeper(pool: SqlPool, settings: ServiceContext['settings']): AlertKeeper {
  return new AlertKeeper(pool, {
    successRate: settings.monitorAlertSuccessRate,
    windowSeconds: settings.monitorAlertWindowSeconds,
    platformTenant: settings.ingestDefaultTenant === '' ? DEFAULT_TENANT : settings.ingestDefaultTenant,
    keptDays: settings.monitorRetentionDays,
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

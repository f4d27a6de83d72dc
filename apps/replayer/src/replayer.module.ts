import { randomBytes } from 'node:crypto'
import { Module, type DynamicModule } from '@nestjs/common'
import { GroupProgress, SafeProducer, type KafkaConnection } from '@posthorn/kafka'
import type { ServiceContext } from '@posthorn/process'
import { ReplayQueries, Replays, Webhooks, type Database, type ReplayRow, type SqlPool } from '@posthorn/store'
import { DELIVERER_GROUP } from '@posthorn/topics'
import { finishedBy } from './ahead.js'
import { HistorySelector, NamedSelector } from './history-selector.js'
import { LogSelector, type LogParts } from './log-selector.js'
import { ReplayPool } from './replay-pool.js'
import { ReplayerMetrics } from './replayer-metrics.js'
import type { Selector, WebhookVersions } from './selector.js'

export interface ReplayerParts {
  readonly context: ServiceContext
  readonly connection: KafkaConnection
  /** For the replays and webhooks. */
  readonly database: Database
  /** For the history: its reads may take longer than a request may. */
  readonly pool: SqlPool
}

@Module({})
export class ReplayerModule {
  static with(parts: ReplayerParts): DynamicModule {
    return {
      module: ReplayerModule,
      providers: [
        { provide: SafeProducer, useFactory: () => new SafeProducer(parts.connection) },
        { provide: GroupProgress, useFactory: () => new GroupProgress(parts.connection, DELIVERER_GROUP) },
        {
          provide: ReplayPool,
          inject: [SafeProducer, GroupProgress],
          useFactory: (producer: SafeProducer, deliverers: GroupProgress) => replayPool(parts, producer, deliverers),
        },
      ],
    }
  }
}

function replayPool(parts: ReplayerParts, producer: SafeProducer, deliverers: GroupProgress): ReplayPool {
  return new ReplayPool({
    select: selectorsOf(parts),
    send: (topic, record) => producer.send(topic, record),
    finished: finishedBy(deliverers, parts.context.logger),
    replays: new Replays(parts.database),
    worker: randomBytes(8).toString('hex'),
    metrics: new ReplayerMetrics(),
    logger: parts.context.logger,
  })
}

function selectorsOf({ context: { settings }, connection, database, pool }: ReplayerParts) {
  const history = new ReplayQueries(pool)
  const webhooks = new Webhooks(database)
  const log: LogParts = {
    connection,
    history,
    webhook: (tenant, id) => webhooks.get(tenant, id),
    defaultTenant: settings.ingestDefaultTenant === '' ? undefined : settings.ingestDefaultTenant,
    maxEventBytes: settings.ingestMaxEventBytes,
  }
  const versions: WebhookVersions = async (tenant, id) => {
    const webhook = await webhooks.get(tenant, id)
    return webhook === undefined || webhook.status === 'disabled' ? undefined : webhook.version
  }
  return (replay: ReplayRow): Selector => {
    const { selection } = replay
    switch (selection.kind) {
      case 'deliveries':
        return new NamedSelector(replay, selection, history, versions)
      case 'history':
        return new HistorySelector(replay, selection, history, versions)
      case 'log':
        return new LogSelector(replay, selection, log)
    }
  }
}

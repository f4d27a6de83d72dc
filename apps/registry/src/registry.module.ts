import { Module, type DynamicModule } from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import { BearerGuard } from '@posthorn/api'
import { SafeProducer, type KafkaConnection } from '@posthorn/kafka'
import type { ServiceContext } from '@posthorn/process'
import type { Sealer } from '@posthorn/sealing'
import { HistoryQueries, Outbox, Webhooks, type Database } from '@posthorn/store'
import { HistoryEdge } from './history.edge.js'
import { Registration } from './registration.js'
import { Relay } from './relay.js'
import { RelayMetrics } from './relay-metrics.js'
import { TableTails } from './table-tails.js'
import { WebhooksEdge } from './webhooks.edge.js'

export interface RegistryParts {
  readonly context: ServiceContext
  readonly connection: KafkaConnection
  readonly database: Database
  readonly sealer: Sealer
}

/** With Kafka away a change is answered all the same: it is committed, and published later. */
const PUBLISHED_WITHIN_MS = 1000

@Module({})
export class RegistryModule {
  static with({ context, connection, database, sealer }: RegistryParts): DynamicModule {
    const { settings, logger, fatal } = context
    const outbox = new Outbox(database)
    return {
      module: RegistryModule,
      controllers: [WebhooksEdge, HistoryEdge],
      providers: [
        { provide: APP_GUARD, useFactory: () => new BearerGuard(settings.authPlatformKey) },
        { provide: SafeProducer, useFactory: () => new SafeProducer(connection) },
        { provide: TableTails, useFactory: () => new TableTails(connection, fatal) },
        {
          provide: Relay,
          inject: [SafeProducer, TableTails],
          useFactory: (producer: SafeProducer, tails: TableTails) =>
            new Relay({
              outbox,
              producer,
              tails,
              logger,
              databaseUrl: settings.databaseUrl!,
              metrics: new RelayMetrics(),
            }),
        },
        {
          provide: Registration,
          inject: [Relay, TableTails],
          useFactory: (relay: Relay, tails: TableTails) =>
            new Registration(new Webhooks(database), sealer, async (id, version) => {
              relay.wake()
              await tails.webhook.waitFor(id, version, PUBLISHED_WITHIN_MS)
            }),
        },
        {
          provide: HistoryQueries,
          useFactory: () =>
            new HistoryQueries({ query: (text, values) => database.manager.query(text, values) as Promise<unknown> }),
        },
      ],
    }
  }
}

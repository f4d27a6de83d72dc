import { Module, type DynamicModule } from '@nestjs/common'
import { SafeProducer, type KafkaConnection } from '@posthorn/kafka'
import type { ServiceContext } from '@posthorn/process'
import { EVENTS, groupName, ROUTER_GROUP } from '@posthorn/topics'
import { EventsEdge } from './events.edge.js'
import { route, type RouteParts } from './route.js'
import { tracedBy, untraced } from './route-trace.js'
import { RouterMetrics } from './router-metrics.js'
import { RoutingLoop } from './routing-loop.js'
import { Schemas } from './schemas.js'
import { Subscriptions } from './subscriptions.js'
import { Tables } from './tables.js'
import { Tenants } from './tenants.js'

/** What may wait for Kafka: a full send (8 MiB) in flight, and the next one. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024

@Module({})
export class RouterModule {
  static with(connection: KafkaConnection, context: ServiceContext): DynamicModule {
    return {
      module: RouterModule,
      controllers: [EventsEdge],
      providers: [
        {
          provide: SafeProducer,
          useFactory: () => new SafeProducer(connection, { maxQueuedBytes: MAX_OUTPUT_BYTES }),
        },
        {
          provide: Subscriptions,
          useFactory: () =>
            new Subscriptions(connection, { ...context, probed: context.settings.proberIntervalSeconds > 0 }),
        },
        {
          provide: Schemas,
          useFactory: () => new Schemas(connection, context),
        },
        {
          provide: Tenants,
          useFactory: () => new Tenants(connection, context),
        },
        {
          provide: Tables,
          inject: [Subscriptions, Schemas, Tenants],
          useFactory: (subscriptions: Subscriptions, schemas: Schemas, tenants: Tenants) =>
            new Tables({ subscriptions, schemas, tenants, logger: context.logger }),
        },
        {
          provide: RoutingLoop,
          inject: [SafeProducer, Subscriptions, Schemas, Tenants, Tables],
          useFactory: (...[output, subscriptions, schemas, tenants, tables]: RoutingParts) =>
            routingLoop(connection, context, { output, subscriptions, schemas, tenants, tables }),
        },
      ],
    }
  }
}

type RoutingParts = [SafeProducer, Subscriptions, Schemas, Tenants, Tables]

interface Routing {
  readonly output: SafeProducer
  readonly subscriptions: Subscriptions
  readonly schemas: Schemas
  readonly tenants: Tenants
  readonly tables: Tables
}

function routingLoop(
  connection: KafkaConnection,
  { settings, logger, fatal }: ServiceContext,
  { output, subscriptions, schemas, tenants, tables }: Routing,
): RoutingLoop {
  const parts: RouteParts = {
    match: (event, data) => subscriptions.match(event, data),
    isRefusedType: event => tenants.refusesUnknownTypes(event.tenant) && !schemas.knows(event),
    misfits: (event, data) => schemas.faults(event, data),
    isOverQuota: (tenant, acceptedAt) => tenants.isOver(tenant, acceptedAt),
    output,
    defaultTenant: settings.ingestDefaultTenant === '' ? undefined : settings.ingestDefaultTenant,
    maxEventBytes: settings.ingestMaxEventBytes,
    trace:
      settings.traceOtlpUrl === undefined
        ? untraced
        : tracedBy(connection.topic(EVENTS), groupName(connection.prefix, ROUTER_GROUP)),
  }
  return new RoutingLoop({
    route: record => route(record, parts),
    isBehind: () => tables.held !== undefined,
    output,
    metrics: new RouterMetrics(() => output.queuedBytes),
    logger,
    fatal,
  })
}

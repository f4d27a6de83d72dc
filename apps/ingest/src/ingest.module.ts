import { Module, type DynamicModule } from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import { Authentication, ClientAddresses, GrpcParts, KeyGuard, WrongKeys } from '@posthorn/api'
import { SafeProducer, WrongKeyReports, type KafkaConnection } from '@posthorn/kafka'
import type { ServiceContext } from '@posthorn/process'
import { Sealer } from '@posthorn/sealing'
import { refusalCounter } from '@posthorn/telemetry'
import { EVENTS } from '@posthorn/topics'
import type { Source } from '@posthorn/webhook'
import { Keys } from './keys.js'
import { MAX_QUEUED_BYTES, type PublishParts } from './publish.js'
import { PublishEdge, PUBLISH_PARTS, SignedPublishEdge } from './publish.edge.js'
import { PublishGrpc } from './publish.grpc.js'
import { PublishMetrics } from './publish-metrics.js'
import { tracedBy, untraced } from './publish-trace.js'
import { Schemas } from './schemas.js'
import { Signatures } from './signatures.js'
import { Sources } from './sources.js'
import { Tenants } from './tenants.js'

@Module({})
export class IngestModule {
  /** `configured` are the sources of the environment. */
  static with(connection: KafkaConnection, context: ServiceContext, configured: readonly Source[]): DynamicModule {
    const { settings } = context
    return {
      module: IngestModule,
      controllers: [PublishEdge, SignedPublishEdge, PublishGrpc],
      providers: [
        { provide: Keys, useFactory: () => new Keys(connection, context) },
        {
          provide: Signatures,
          useFactory: () => {
            const { sealingKeys } = settings
            return new Signatures(sealingKeys.length === 0 ? undefined : new Sealer(sealingKeys), context.logger)
          },
        },
        {
          provide: Authentication,
          inject: [Keys, WrongKeyReports],
          useFactory: (keys: Keys, reports: WrongKeyReports) => {
            const count = refusalCounter('ingest')
            return new Authentication({
              platformKey: settings.authPlatformKey,
              find: hash => keys.find(hash),
              wrongKeys: new WrongKeys(settings.authWrongKeysPerMinute),
              onRefused: code => {
                count(code)
                reports.note(code)
              },
            })
          },
        },
        {
          provide: WrongKeyReports,
          inject: [SafeProducer],
          useFactory: (producer: SafeProducer) => new WrongKeyReports(producer),
        },
        {
          provide: GrpcParts,
          useValue: {
            log: context.logger,
            mapError: () => undefined,
            addresses: new ClientAddresses(settings.trustedProxies),
          } satisfies GrpcParts,
        },
        {
          provide: APP_GUARD,
          inject: [Authentication],
          useFactory: (authentication: Authentication) => new KeyGuard(authentication),
        },
        { provide: SafeProducer, useFactory: () => new SafeProducer(connection, { maxQueuedBytes: MAX_QUEUED_BYTES }) },
        { provide: Tenants, useFactory: () => new Tenants(connection, context) },
        { provide: Schemas, useFactory: () => new Schemas(connection, context) },
        {
          provide: Sources,
          inject: [Tenants],
          useFactory: (tenants: Tenants) =>
            new Sources(connection, context, { configured, hasTenant: tenant => tenants.has(tenant) }),
        },
        {
          provide: PublishMetrics,
          inject: [SafeProducer],
          useFactory: (producer: SafeProducer) => new PublishMetrics(() => producer.queuedBytes),
        },
        {
          provide: PUBLISH_PARTS,
          inject: [SafeProducer, PublishMetrics, Schemas, Tenants],
          useFactory: (
            output: SafeProducer,
            metrics: PublishMetrics,
            schemas: Schemas,
            tenants: Tenants,
          ): PublishParts => ({
            output,
            metrics,
            isRefusedType: event => tenants.refusesUnknownTypes(event.tenant) && !schemas.knows(event),
            misfits: (event, data) => schemas.faults(event, data),
            maxEventBytes: settings.ingestMaxEventBytes,
            trace: settings.traceOtlpUrl === undefined ? untraced : tracedBy(connection.topic(EVENTS)),
          }),
        },
      ],
    }
  }
}

import { readFileSync } from 'node:fs'
import { Module, type DynamicModule, type Provider } from '@nestjs/common'
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core'
import { Authentication, ClientAddresses, GrpcParts, KeyGuard, RateLimit, WrongKeys } from '@posthorn/api'
import { Egress, egressOptionsFrom } from '@posthorn/egress'
import { SafeProducer, WrongKeyReports, type KafkaConnection } from '@posthorn/kafka'
import type { ServiceContext, Settings } from '@posthorn/process'
import { Sealer } from '@posthorn/sealing'
import {
  Alerts,
  AlertSettings,
  Audit,
  EventTypes,
  DeadLetters,
  HistoryLists,
  HistoryQueries,
  HistoryStats,
  Idempotency,
  Keys,
  Outbox,
  Ownerships,
  Poison,
  ReplayQueries,
  Replays,
  Sources,
  Tenants,
  Webhooks,
  type Database,
} from '@posthorn/store'
import { refusalCounter } from '@posthorn/telemetry'
import { builtInRules } from '@posthorn/webhook'
import { AlertChannelCases } from './alert-channels.js'
import { AlertChannelsEdge } from './alert-channels.edge.js'
import { AlertChannelsGrpc } from './alert-channels.grpc.js'
import { AlertRuleCases } from './alert-rules.js'
import { AlertRulesEdge } from './alert-rules.edge.js'
import { AlertRulesGrpc } from './alert-rules.grpc.js'
import { AlertSilenceCases } from './alert-silences.js'
import { AlertSilencesEdge } from './alert-silences.edge.js'
import { AlertSilencesGrpc } from './alert-silences.grpc.js'
import { AlertCases } from './alerts.js'
import { AlertsEdge } from './alerts.edge.js'
import { AlertsGrpc } from './alerts.grpc.js'
import { AuditCases } from './audit.js'
import { AuditEdge } from './audit.edge.js'
import { BackgroundHandshakes, HANDSHAKES_AT_ONCE } from './background-handshakes.js'
import { BackgroundRemoval } from './background-removal.js'
import { EventTypeCases } from './event-types.js'
import { EventTypesEdge } from './event-types.edge.js'
import { EventTypesGrpc } from './event-types.grpc.js'
import { FailingWebhooks } from './failing-webhooks.js'
import { FiltersEdge } from './filters.edge.js'
import { FiltersGrpc } from './filters.grpc.js'
import { GoneWebhooks } from './gone-webhooks.js'
import { DeadLetterCases } from './dead-letters.js'
import { DeadLettersEdge } from './dead-letters.edge.js'
import { DeadLettersGrpc } from './dead-letters.grpc.js'
import { HistoryCases } from './history.js'
import { HistoryEdge } from './history.edge.js'
import { HttpManners } from './http-manners.js'
import { IdempotentAnswers } from './idempotent-answers.js'
import { keyFinder } from './key-finder.js'
import { KeyUses } from './key-uses.js'
import { KeyCases } from './keys.js'
import { KeysEdge } from './keys.edge.js'
import { KeysGrpc } from './keys.grpc.js'
import { PoisonCases } from './poison.js'
import { PoisonEdge } from './poison.edge.js'
import { PoisonGrpc } from './poison.grpc.js'
import { storeProblem } from './problems.js'
import { Publishing } from './publishing.js'
import { ReadsGrpc } from './reads.grpc.js'
import { Relay } from './relay.js'
import { RelayMetrics } from './relay-metrics.js'
import { RequestMetrics } from './request-metrics.js'
import { ReplayCases } from './replays.js'
import { ReplaysEdge } from './replays.edge.js'
import { ReplaysGrpc } from './replays.grpc.js'
import { SourceLag } from './source-lag.js'
import { SourceCases } from './sources.js'
import { SourcesEdge } from './sources.edge.js'
import { SourcesGrpc } from './sources.grpc.js'
import { StatsCases } from './stats.js'
import { TableTails } from './table-tails.js'
import { TenantCases } from './tenants.js'
import { TenantsEdge } from './tenants.edge.js'
import { TenantsGrpc } from './tenants.grpc.js'
import { WebhookOwnership } from './webhook-ownership.js'
import { grafanaLink, type TraceLink } from './trace-link.js'
import { WebhookSecrets } from './webhook-secrets.js'
import { WebhookTest } from './webhook-test.js'
import { WebhookCases } from './webhooks.js'
import { WebhooksEdge } from './webhooks.edge.js'
import { WebhooksGrpc } from './webhooks.grpc.js'
import { WrongKeyCounts } from './wrong-key-counts.js'

const { version: VERSION } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

export interface RegistryParts {
  readonly context: ServiceContext
  readonly connection: KafkaConnection
  readonly database: Database
  readonly sealer: Sealer
}

const REST = [
  WebhooksEdge,
  TenantsEdge,
  KeysEdge,
  AuditEdge,
  SourcesEdge,
  HistoryEdge,
  DeadLettersEdge,
  FiltersEdge,
  EventTypesEdge,
  ReplaysEdge,
  PoisonEdge,
  AlertsEdge,
  AlertRulesEdge,
  AlertChannelsEdge,
  AlertSilencesEdge,
]
const GRPC = [
  WebhooksGrpc,
  TenantsGrpc,
  KeysGrpc,
  ReadsGrpc,
  SourcesGrpc,
  FiltersGrpc,
  EventTypesGrpc,
  ReplaysGrpc,
  DeadLettersGrpc,
  PoisonGrpc,
  AlertsGrpc,
  AlertRulesGrpc,
  AlertChannelsGrpc,
  AlertSilencesGrpc,
]

/** REST and gRPC are thin edges over the same use cases. */
@Module({})
export class RegistryModule {
  static with(parts: RegistryParts): DynamicModule {
    return {
      module: RegistryModule,
      controllers: [...REST, ...GRPC],
      providers: [
        ...[...stores(parts), ...publishing(parts), ...cases(parts)],
        ...[...ownership(parts), ...alerting(parts), ...manners(parts)],
      ],
    }
  }
}

function stores({ database }: RegistryParts): Provider[] {
  const tables = [
    Webhooks,
    Tenants,
    Keys,
    Sources,
    EventTypes,
    Alerts,
    Audit,
    Idempotency,
    Outbox,
    Ownerships,
    Replays,
    Poison,
    DeadLetters,
  ]
  const query = (text: string, values?: readonly unknown[]) =>
    database.manager.query(text, values as unknown[]) as Promise<unknown>
  return [
    ...tables.map(table => ({ provide: table, useFactory: () => new table(database) })),
    ...[HistoryQueries, HistoryLists, HistoryStats].map(reads => ({
      provide: reads,
      useFactory: () => new reads({ query }),
    })),
    { provide: ReplayQueries, useFactory: () => new ReplayQueries({ query }) },
  ]
}

function publishing({ context: { logger, settings, fatal }, connection, database }: RegistryParts): Provider[] {
  return [
    { provide: SafeProducer, useFactory: () => new SafeProducer(connection) },
    { provide: TableTails, useFactory: () => new TableTails(connection, fatal) },
    {
      provide: Relay,
      inject: [Outbox, SafeProducer, TableTails],
      useFactory: (outbox: Outbox, producer: SafeProducer, tails: TableTails) =>
        new Relay({ outbox, producer, tails, logger, databaseUrl: settings.databaseUrl!, metrics: new RelayMetrics() }),
    },
    {
      provide: Publishing,
      inject: [Relay, TableTails],
      useFactory: (relay: Relay, tails: TableTails) => new Publishing(relay, tails),
    },
    {
      provide: BackgroundRemoval,
      inject: [Tenants, Webhooks, Idempotency, Relay],
      useFactory: (tenants: Tenants, webhooks: Webhooks, idempotency: Idempotency, relay: Relay) =>
        new BackgroundRemoval({ tenants, webhooks, idempotency, logger, changed: () => relay.wake() }),
    },
    {
      provide: GoneWebhooks,
      inject: [Webhooks, Relay],
      useFactory: (webhooks: Webhooks, relay: Relay) =>
        new GoneWebhooks({ connection, webhooks, logger, fatal, changed: () => relay.wake() }),
    },
    {
      provide: FailingWebhooks,
      inject: [Webhooks, Relay],
      useFactory: (webhooks: Webhooks, relay: Relay) =>
        new FailingWebhooks({
          ...{ connection, webhooks, logger, fatal, changed: () => relay.wake() },
          disableAfterSeconds: settings.webhookDisableAfterSeconds,
        }),
    },
    {
      provide: WrongKeyReports,
      inject: [SafeProducer],
      useFactory: (producer: SafeProducer) => new WrongKeyReports(producer),
    },
    {
      provide: WrongKeyCounts,
      inject: [SafeProducer],
      useFactory: (producer: SafeProducer) => new WrongKeyCounts({ connection, database, producer, logger, fatal }),
    },
    {
      provide: KeyUses,
      inject: [Keys, SafeProducer],
      useFactory: (keys: Keys, producer: SafeProducer) => new KeyUses({ connection, keys, producer, logger, fatal }),
    },
  ]
}

function cases({ sealer, connection, context: { settings } }: RegistryParts): Provider[] {
  return [
    { provide: Sealer, useValue: sealer },
    given(TenantCases, Tenants, Publishing, BackgroundRemoval),
    {
      provide: WebhookCases,
      inject: [Webhooks, TenantCases, Sealer, Publishing, BackgroundHandshakes],
      useFactory: (...[webhooks, tenants, seal, published, handshakes]: WebhookDependencies) =>
        new WebhookCases(webhooks, tenants, seal, published, settings, handshakes),
    },
    given(WebhookSecrets, Webhooks, TenantCases, Audit, Sealer, Publishing),
    given(WebhookTest, Webhooks, TenantCases, EventTypeCases, SafeProducer),
    given(KeyCases, Keys, TenantCases, Sealer, Publishing),
    given(AuditCases, Audit),
    given(EventTypeCases, EventTypes, TenantCases, Publishing),
    {
      provide: HistoryCases,
      inject: [HistoryQueries, HistoryLists, TenantCases, Webhooks],
      useFactory: (queries: HistoryQueries, lists: HistoryLists, tenants: TenantCases, webhooks: Webhooks) =>
        new HistoryCases(queries, lists, tenants, webhooks, traceLink(settings)),
    },
    given(DeadLetterCases, DeadLetters, ReplayQueries, TenantCases),
    given(StatsCases, HistoryStats, TenantCases),
    given(ReplayCases, Replays, ReplayQueries, Webhooks, TenantCases),
    {
      provide: PoisonCases,
      inject: [HistoryLists, Poison, Sources, TenantCases, SafeProducer],
      useFactory: (
        lists: HistoryLists,
        poison: Poison,
        sources: Sources,
        tenants: TenantCases,
        producer: SafeProducer,
      ) => new PoisonCases({ lists, poison, sources, producer, requireTenant: tenant => tenants.require(tenant) }),
    },
    {
      provide: SourceCases,
      inject: [Sources, Publishing],
      useFactory: (sources: Sources, publishing: Publishing) =>
        new SourceCases(sources, publishing, new SourceLag(connection), connection.prefix),
    },
  ]
}

type WebhookDependencies = [Webhooks, TenantCases, Sealer, Publishing, BackgroundHandshakes]

function ownership({ sealer, context: { logger, settings } }: RegistryParts): Provider[] {
  const origin = settings.webhookOwnershipOrigin
  return [
    {
      provide: Egress,
      // Those that are asked for by request have connections besides.
      useFactory: () =>
        Egress.from({
          ...egressOptionsFrom(settings),
          sockets: 2 * HANDSHAKES_AT_ONCE,
          userAgent: `Posthorn/${VERSION}`,
        }),
    },
    {
      provide: WebhookOwnership,
      inject: [Webhooks, Ownerships, TenantCases, Publishing, Egress],
      useFactory: (
        webhooks: Webhooks,
        ownerships: Ownerships,
        tenants: TenantCases,
        published: Publishing,
        egress: Egress,
      ) => new WebhookOwnership({ webhooks, ownerships, tenants, publishing: published, egress, sealer, origin }),
    },
    {
      provide: BackgroundHandshakes,
      inject: [Ownerships, WebhookOwnership],
      useFactory: (ownerships: Ownerships, asked: WebhookOwnership) =>
        new BackgroundHandshakes({ ownerships, ownership: asked, logger, enabled: origin !== undefined }),
    },
  ]
}

function alerting({ database, context: { settings } }: RegistryParts): Provider[] {
  const { monitorAlertSuccessRate: successRate, monitorAlertWindowSeconds: windowSeconds, alertRules } = settings
  const builtIn = builtInRules({ successRate, windowSeconds, rules: alertRules })
  return [
    given(AlertCases, Alerts),
    {
      provide: AlertRuleCases,
      inject: [TenantCases],
      useFactory: (tenants: TenantCases) => new AlertRuleCases(new AlertSettings(database, 'rule'), tenants, builtIn),
    },
    {
      provide: AlertChannelCases,
      inject: [TenantCases, Alerts, Sealer],
      useFactory: (tenants: TenantCases, alerts: Alerts, sealer: Sealer) =>
        new AlertChannelCases(new AlertSettings(database, 'channel'), tenants, alerts, sealer),
    },
    {
      provide: AlertSilenceCases,
      inject: [TenantCases],
      useFactory: (tenants: TenantCases) => new AlertSilenceCases(new AlertSettings(database, 'silence'), tenants),
    },
  ]
}

function manners({ context: { logger, settings } }: RegistryParts): Provider[] {
  const { registryRatePerKey: perKey } = settings
  const rateLimit = perKey === undefined ? undefined : new RateLimit(perKey)
  return [
    {
      provide: Authentication,
      inject: [Keys, WrongKeyReports],
      useFactory: (keys: Keys, reports: WrongKeyReports) => {
        const count = refusalCounter('registry')
        return new Authentication({
          platformKey: settings.authPlatformKey,
          find: keyFinder(keys, logger),
          wrongKeys: new WrongKeys(settings.authWrongKeysPerMinute),
          rateLimit,
          onRefused: code => {
            count(code)
            reports.note(code)
          },
        })
      },
    },
    {
      provide: APP_GUARD,
      inject: [Authentication],
      useFactory: (authentication: Authentication) => new KeyGuard(authentication),
    },
    {
      provide: IdempotentAnswers,
      inject: [Idempotency, Sealer],
      useFactory: (store: Idempotency, sealer: Sealer) => new IdempotentAnswers(store, sealer, logger),
    },
    { provide: APP_INTERCEPTOR, useClass: HttpManners },
    { provide: RequestMetrics, useFactory: () => new RequestMetrics() },
    {
      provide: GrpcParts,
      useValue: {
        log: logger,
        mapError: storeProblem,
        addresses: new ClientAddresses(settings.trustedProxies),
      } satisfies GrpcParts,
    },
  ]
}

function traceLink({ grafanaUrl, grafanaTraces }: Settings): TraceLink | undefined {
  return grafanaUrl === undefined ? undefined : grafanaLink(grafanaUrl, grafanaTraces)
}

/** A provider that is made of others in the order of its constructor; plain classes need no decorators for it. */
function given<A extends readonly object[]>(
  made: new (...args: A) => object,
  ...parts: { readonly [I in keyof A]: abstract new (...args: never[]) => A[I] }
): Provider {
  return { provide: made, inject: [...parts], useFactory: (...args: unknown[]) => new made(...(args as unknown as A)) }
}

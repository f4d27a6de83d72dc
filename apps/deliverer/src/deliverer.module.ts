import { readFileSync } from 'node:fs'
import { Module, type DynamicModule } from '@nestjs/common'
import { Egress, egressOptionsFrom, type EgressOptions } from '@posthorn/egress'
import { SafeProducer, TableFollower, type KafkaConnection } from '@posthorn/kafka'
import type { ServiceContext } from '@posthorn/process'
import { Sealer } from '@posthorn/sealing'
import { decodeWebhook, WEBHOOKS } from '@posthorn/topics'
import { keepsDeliveries, type Webhook } from '@posthorn/webhook'
import { attemptLines } from './attempt-line.js'
import { AttemptsTail } from './attempts-tail.js'
import { traced, untraced } from './attempt-trace.js'
import { proxyAlert } from './proxy-alert.js'
import { DelivererMetrics } from './deliverer-metrics.js'
import { DeliveriesEdge } from './deliveries.edge.js'
import { DeliveryLoop, type LoopOptions } from './delivery-loop.js'
import { ParkedPlaces } from './parked-places.js'
import { Probes } from './probes.js'
import { SecondReader } from './second-reader.js'
import { WebhookCache } from './webhook-cache.js'

const { version: VERSION } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** What the service knows once it has joined. */
export interface Group {
  /** Whether the membership is sure. */
  healthy(): boolean
  generation(): number | undefined
  /** The document of a webhook says that it is paused, or pending. */
  paused(webhook: string): void
}

@Module({})
export class DelivererModule {
  static with(connection: KafkaConnection, context: ServiceContext, group: Group): DynamicModule {
    return {
      module: DelivererModule,
      controllers: [DeliveriesEdge],
      providers: [
        // What it sends is of the past (attempts) or for later (tiers): nothing waits for it.
        { provide: SafeProducer, useFactory: () => new SafeProducer(connection, { unhurried: true }) },
        { provide: Egress, useFactory: () => Egress.from(egressOptions(context)) },
        { provide: Sealer, useFactory: () => new Sealer(context.settings.sealingKeys) },
        {
          provide: Probes,
          inject: [Sealer],
          useFactory: async (sealer: Sealer) =>
            context.settings.proberIntervalSeconds > 0 ? Probes.start(sealer, egressOptions(context)) : NO_PROBES,
        },
        {
          provide: TableFollower,
          useFactory: () =>
            new TableFollower<Webhook>(connection, {
              topic: WEBHOOKS,
              decode: decodeWebhook,
              fatal: context.fatal,
              onChange: (id, webhook) => {
                if (webhook && keepsDeliveries(webhook.status)) group.paused(id)
              },
            }),
        },
        {
          provide: ParkedPlaces,
          inject: [SafeProducer],
          useFactory: (output: SafeProducer) =>
            new ParkedPlaces({ connection, output, generation: () => group.generation(), fatal: context.fatal }),
        },
        {
          provide: DeliveryLoop,
          inject: [SafeProducer, TableFollower, Egress, ParkedPlaces, Sealer, Probes],
          useFactory: (
            output: SafeProducer,
            webhooks: TableFollower<Webhook>,
            door: Egress,
            places: ParkedPlaces,
            sealer: Sealer,
            probes: Probes,
          ) =>
            deliveryLoop(context, sealer, {
              output,
              webhooks: probes.among(webhooks),
              egress: probes.beside(door),
              healthy: () => group.healthy(),
              tail: new AttemptsTail(connection, context.logger),
              places,
              secondReader: (...of) => new SecondReader({ connection, logger: context.logger }, ...of),
            }),
        },
      ],
    }
  }
}

/** What stands for them where none are sent. */
const NO_PROBES: Pick<Probes, 'among' | 'beside' | 'forget' | 'close'> = {
  among: table => table,
  beside: door => door,
  forget: () => undefined,
  close: () => Promise.resolve(),
}

function egressOptions({ settings }: ServiceContext): EgressOptions {
  return {
    ...egressOptionsFrom(settings),
    sockets: settings.delivererSockets,
    userAgent: `Posthorn/${VERSION}`,
  }
}

interface Outside {
  readonly tail: AttemptsTail
  readonly places: ParkedPlaces
  readonly secondReader: LoopOptions['secondReader']
  readonly output: SafeProducer
  readonly webhooks: LoopOptions['webhooks']
  readonly egress: LoopOptions['egress']
  readonly healthy: () => boolean
}

function deliveryLoop({ settings, logger, fatal }: ServiceContext, sealer: Sealer, outside: Outside): DeliveryLoop {
  return new DeliveryLoop({
    ...outside,
    cache: new WebhookCache(
      sealer,
      ({ id, version, tenant }, error) =>
        logger.error(
          { alert: 'secret_sealed', webhook: id, version, tenant, err: error },
          'the secret of this webhook does not open: its deliveries wait in a delay topic until POSTHORN_SEALING_KEYS has its key',
        ),
      {
        apiUrl: settings.apiPublicUrl.replace(/\/+$/, ''),
        headerPrefix: settings.signatureHeaderPrefix,
        ...(settings.webhookOwnershipOrigin === undefined ? {} : { origin: settings.webhookOwnershipOrigin }),
      },
    ),
    trace: settings.traceOtlpUrl === undefined ? untraced : traced,
    metrics: new DelivererMetrics(),
    limits: {
      sockets: settings.delivererSockets,
      perWebhook: settings.delivererWebhookConcurrency,
      bytesPerWebhook: settings.delivererQueueBytes / 2,
    },
    proxyFailed: proxyAlert(logger, Date.now),
    lines: attemptLines(logger, settings.delivererLogDelivered, Math.random),
    logger,
    fatal,
  })
}

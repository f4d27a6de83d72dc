import type { INestMicroservice } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { MicroserviceOptions } from '@nestjs/microservices'
import { Egress } from '@posthorn/egress'
import {
  KafkaBatchStrategy,
  KafkaConnection,
  kafkaOptionsFrom,
  SafeProducer,
  TableFollower,
  type PartitionClaim,
} from '@posthorn/kafka'
import type { RunningService, Service, ServiceContext } from '@posthorn/process'
import { countByKey, Sealer, tellMissingKeys } from '@posthorn/sealing'
import { NestLogger } from '@posthorn/telemetry'
import { DELIVERER_GROUP } from '@posthorn/topics'
import type { Webhook } from '@posthorn/webhook'
import { DelivererModule } from './deliverer.module.js'
import { DeliveryLoop } from './delivery-loop.js'
import { ParkedPlaces } from './parked-places.js'
import { Probes } from './probes.js'
import { WORK_OVERHEAD } from './work.js'

/**
 * Requests under way get this long at a stop, more than the longest time-out of a webhook (60 s) and its
 * record take; what is left then is sent again by the next owner.
 */
const FINISH_MS = 63_000
/** A fetch is in memory beside the records that are copied from it. */
const FETCH_BYTES = 4 * 1024 * 1024

/** Sends deliveries to their webhooks and records what came of it. */
export const delivererService: Service = { target: 'deliverer', start }

async function start(context: ServiceContext): Promise<RunningService> {
  const { settings, logger, health, fatal } = context
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'deliverer'))
  const strategy: KafkaBatchStrategy = new KafkaBatchStrategy(connection, {
    group: DELIVERER_GROUP,
    copartitioned: true,
    maxUnfinishedBytes: settings.delivererQueueBytes,
    recordOverhead: WORK_OVERHEAD,
    maxFetchBytes: FETCH_BYTES,
    fatal,
    onAssigned: (claims: PartitionClaim[]) => loop.assigned(claims),
    onRebalancing: signal => loop.quiet(signal),
    onRevoked: (claims: PartitionClaim[]) => {
      loop.revoked(claims)
      probes.forget()
    },
  })
  let listens = false
  const app: INestMicroservice = await NestFactory.createMicroservice<MicroserviceOptions>(
    DelivererModule.with(connection, context, {
      healthy: () => strategy.consumer.healthyMembership(),
      generation: () => (listens ? strategy.consumer.generation : undefined),
      paused: webhook => app.get(DeliveryLoop).paused(webhook),
    }),
    { strategy, logger: new NestLogger(logger), abortOnError: false },
  )
  const loop: DeliveryLoop = app.get(DeliveryLoop)
  const producer = app.get(SafeProducer)
  const webhooks = app.get<TableFollower<Webhook>>(TableFollower)
  const places = app.get(ParkedPlaces)
  const [egress, probes] = [app.get(Egress), app.get(Probes)]
  health.addReadiness('deliverer.webhooks', () => knows(webhooks))
  health.addReadiness('deliverer.places', () => (places.isCaughtUp ? undefined : 'is reading what is parked'))
  await Promise.all([producer.connect(), webhooks.start(), places.start()])
  tellMissingKeys(app.get(Sealer), countByKey(sealedIn(webhooks.values())), logger)
  await app.listen()
  listens = true
  loop.start()
  health.addReadiness('deliverer.consumer', () => strategy.consumer.readiness())
  health.addLiveness('deliverer.consumer', () => strategy.consumer.liveness())
  return { addresses: {}, stop }

  async function stop(): Promise<void> {
    // Stops fetching. What waits in the queues stays unfinished, so this is not waited for.
    strategy.consumer.drain().catch((error: unknown) => logger.warn({ err: error }, 'fetching did not stop cleanly'))
    await loop.stop(FINISH_MS)
    await app.close()
    await producer.close()
    await Promise.all([webhooks.stop(), places.stop(), egress.close(), probes.close()])
  }
}

function knows(webhooks: TableFollower<Webhook>): string | undefined {
  if (!webhooks.isCaughtUp) return 'is reading the webhooks'
  return webhooks.isWhole ? undefined : 'waits for the registry to publish the webhooks: those it does not know wait'
}

function* sealedIn(webhooks: Iterable<Webhook>): Iterable<string> {
  for (const { sealedSecrets, sealedHeaders = {}, authentication, tls } of webhooks) {
    if (authentication) yield authentication.sealed
    if (tls?.sealedKey) yield tls.sealedKey
    yield* sealedSecrets
    yield* Object.values(sealedHeaders)
  }
}

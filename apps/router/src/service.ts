import { NestFactory } from '@nestjs/core'
import type { MicroserviceOptions } from '@nestjs/microservices'
import { KafkaBatchStrategy, KafkaConnection, kafkaOptionsFrom, SafeProducer } from '@posthorn/kafka'
import type { RunningService, Service, ServiceContext } from '@posthorn/process'
import { NestLogger } from '@posthorn/telemetry'
import { ROUTER_GROUP } from '@posthorn/topics'
import { RouterModule } from './router.module.js'
import { Schemas } from './schemas.js'
import { Subscriptions } from './subscriptions.js'
import { Tables } from './tables.js'
import { Tenants } from './tenants.js'

/** Twice what one fetch brings: an event is finished within milliseconds, more would only lie in memory. */
const MAX_UNFINISHED_BYTES = 16 * 1024 * 1024
/** Longer than a healthy Kafka needs for what is in flight; what is left is routed again by the next owner. */
const DRAIN_MS = 8_000

/** Filters events per subscription: events.v1 to deliveries.v1. */
export const routerService: Service = { target: 'router', start }

async function start(context: ServiceContext): Promise<RunningService> {
  const { settings, logger, health, fatal } = context
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'router'))
  const strategy = new KafkaBatchStrategy(connection, {
    group: ROUTER_GROUP,
    fatal,
    maxUnfinishedBytes: MAX_UNFINISHED_BYTES,
  })
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(RouterModule.with(connection, context), {
    strategy,
    logger: new NestLogger(logger),
    abortOnError: false,
  })
  const [subscriptions, schemas, tenants] = [app.get(Subscriptions), app.get(Schemas), app.get(Tenants)]
  const [tables, producer] = [app.get(Tables), app.get(SafeProducer)]
  health.addReadiness('router.webhooks', () => subscriptions.readiness())
  health.addReadiness('router.event-types', () => schemas.readiness())
  health.addReadiness('router.tenants', () => tenants.readiness())
  await Promise.all([producer.connect(), tables.start()])
  await app.listen()
  health.addReadiness('router.tables', () => tables.readiness())
  health.addReadiness('router.consumer', () => strategy.consumer.readiness())
  health.addLiveness('router.consumer', () => strategy.consumer.liveness())
  return { addresses: {}, stop: () => stop() }

  async function stop(): Promise<void> {
    await within(DRAIN_MS, strategy.consumer.drain())
    await Promise.all([app.close(), producer.close(), tables.stop()])
  }
}

function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout
  const bound = new Promise<void>(resolve => (timer = setTimeout(resolve, ms)))
  return Promise.race([work, bound]).finally(() => clearTimeout(timer))
}

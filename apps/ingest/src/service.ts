import { createHttpApp, listen } from '@posthorn/api'
import { KafkaConnection, kafkaOptionsFrom, SafeProducer } from '@posthorn/kafka'
import type { RunningService, Service, ServiceContext } from '@posthorn/process'
import { NestLogger } from '@posthorn/telemetry'
import { IngestModule } from './ingest.module.js'
import { PublishMetrics } from './publish-metrics.js'
import { Tenants } from './tenants.js'

/** A body may hold this many times the data of one event: an array of large events, or one event in base64. */
const BODY_FACTOR = 10

/** Takes events over HTTP: POST /v1/publish to events.v1. */
export const ingestService: Service = { target: 'ingest', start }

async function start(context: ServiceContext): Promise<RunningService> {
  const { settings, logger, health } = context
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'ingest'))
  const app = await createHttpApp(IngestModule.with(connection, context), {
    nestLogger: new NestLogger(logger),
    log: logger,
    bodyLimit: settings.ingestMaxEventBytes * BODY_FACTOR,
  })
  const [producer, tenants, metrics] = [app.get(SafeProducer), app.get(Tenants), app.get(PublishMetrics)]
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (_request, reply, done) => {
      metrics.answered(reply.statusCode, reply.elapsedTime)
      done()
    })
  health.addReadiness('ingest.tenants', () => tenants.readiness())
  // Listening comes first: until Kafka is reached a request gets an answer that says so, not a refused connection.
  const address = await listen(app, settings.listenHost, settings.ingestPort)
  await Promise.all([producer.connect(), tenants.start()])
  return { addresses: { http: address }, stop }

  async function stop(): Promise<void> {
    await app.close()
    await Promise.all([producer.close(), tenants.stop()])
  }
}

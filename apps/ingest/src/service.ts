import { createHttpApp, GrpcServer, listen, NO_PLATFORM_KEY } from '@posthorn/api'
import { KafkaConnection, kafkaOptionsFrom, SafeProducer, WrongKeyReports } from '@posthorn/kafka'
import { ServerTls, type RunningService, type Service, type ServiceContext } from '@posthorn/process'
import { NestLogger } from '@posthorn/telemetry'
import { configuredSources } from './configured-sources.js'
import { IngestModule } from './ingest.module.js'
import { Keys } from './keys.js'
import { OPEN_API } from './publish-open-api.js'
import { PublishMetrics } from './publish-metrics.js'
import { Schemas } from './schemas.js'
import { Sources } from './sources.js'
import { Tenants } from './tenants.js'

/** A body may hold this many times the data of one event: an array of large events, or one event in base64. */
const BODY_FACTOR = 10

/** Takes events over HTTP (POST /v1/publish), over gRPC (posthorn.publish.v1) and from topics of the user's own, to events.v1. */
export const ingestService: Service = { target: 'ingest', start }

async function start(context: ServiceContext): Promise<RunningService> {
  const { settings, logger, health } = context
  const configured = configuredSources(settings)
  if (settings.authPlatformKey === undefined) logger.warn(NO_PLATFORM_KEY)
  const tls = ServerTls.of(settings, logger)
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'ingest'))
  const app = await createHttpApp(IngestModule.with(connection, context, configured), {
    nestLogger: new NestLogger(logger),
    log: logger,
    trustedProxies: settings.trustedProxies,
    traced: settings.traceOtlpUrl !== undefined,
    tls,
    bodyLimit: settings.ingestMaxEventBytes * BODY_FACTOR,
    openApi: OPEN_API,
  })
  const [producer, tenants, metrics] = [app.get(SafeProducer), app.get(Tenants), app.get(PublishMetrics)]
  const [sources, keys, schemas] = [app.get(Sources), app.get(Keys), app.get(Schemas)]
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (_request, reply, done) => {
      metrics.answered(reply.statusCode, reply.elapsedTime)
      done()
    })
  health.addReadiness('ingest.tenants', () => tenants.readiness())
  health.addReadiness('ingest.keys', () => keys.readiness())
  health.addReadiness('ingest.event-types', () => schemas.readiness())
  const readiness = () => tenants.readiness() ?? keys.readiness() ?? schemas.readiness()
  const grpc = await GrpcServer.serve(app, {
    host: settings.listenHost,
    port: settings.ingestGrpcPort,
    packages: ['posthorn.publish.v1'],
    files: ['posthorn/publish/v1/publish.proto'],
    messageLimit: settings.ingestMaxEventBytes * BODY_FACTOR,
    readiness,
    traced: settings.traceOtlpUrl !== undefined,
    tls,
  })
  // Listening comes first: until Kafka is reached a request gets an answer that says so, not a refused connection.
  const address = await listen(app, settings.listenHost, settings.ingestPort)
  await Promise.all([producer.connect(), tenants.start(), keys.start(), schemas.start()])
  // Their events are set aside where a tenant is not known: not before it can be.
  void tenants.whole.then(() => sources.start())
  return { addresses: { http: address, grpc: grpc.address }, stop }

  async function stop(): Promise<void> {
    grpc.drain()
    await app.close()
    tls?.stop()
    app.get(WrongKeyReports).stop()
    await Promise.all([producer.close(), sources.stop()])
    await Promise.all([tenants.stop(), keys.stop(), schemas.stop()])
  }
}

import { createHttpApp, GrpcServer, listen, NO_PLATFORM_KEY } from '@posthorn/api'
import { Egress } from '@posthorn/egress'
import { KafkaConnection, kafkaOptionsFrom, SafeProducer, WrongKeyReports } from '@posthorn/kafka'
import { ServerTls, type RunningService, type Service, type ServiceContext } from '@posthorn/process'
import { Sealer, tellMissingKeys } from '@posthorn/sealing'
import { Database, SealedValues, SERVICE_RIGHTS, type SealedCount } from '@posthorn/store'
import { NestLogger } from '@posthorn/telemetry'
import { BackgroundHandshakes } from './background-handshakes.js'
import { BackgroundRemoval } from './background-removal.js'
import { FailingWebhooks } from './failing-webhooks.js'
import { GoneWebhooks } from './gone-webhooks.js'
import { KeyUses } from './key-uses.js'
import { OPEN_API } from './open-api.js'
import { storeProblem } from './problems.js'
import { RegistryModule } from './registry.module.js'
import { Relay } from './relay.js'
import { RequestMetrics } from './request-metrics.js'
import { TableTails } from './table-tails.js'
import { WrongKeyCounts } from './wrong-key-counts.js'

/** Larger than any webhook can be. */
const BODY_LIMIT = 1024 * 1024

const SERVED = [
  'webhooks',
  'tenants',
  'keys',
  'audit',
  'history',
  'sources',
  'event_types',
  'filters',
  'replays',
  'alerts',
]
/** What the gRPC server serves, below the folder of the .proto files. */
export const PROTO_FILES = SERVED.map(name => `posthorn/admin/v1/${name}.proto`)

/** Administers tenants, keys and webhooks over REST and gRPC, and publishes them for the data path. */
export const registryService: Service = { target: 'registry', start }

async function start(context: ServiceContext): Promise<RunningService> {
  const { settings, logger, health } = context
  if (settings.databaseUrl === undefined)
    throw new Error('POSTHORN_DATABASE_URL is not set: the registry keeps its webhooks in Postgres')
  const database = new Database({
    url: settings.databaseUrl,
    poolSize: settings.databasePool,
    name: 'posthorn-registry',
    logger,
    rights: SERVICE_RIGHTS.registry,
  })
  if (settings.authPlatformKey === undefined) logger.warn(NO_PLATFORM_KEY)
  const tls = ServerTls.of(settings, logger)
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'registry'))
  const sealer = new Sealer(settings.sealingKeys)
  const app = await createHttpApp(RegistryModule.with({ context, connection, database, sealer }), {
    nestLogger: new NestLogger(logger),
    log: logger,
    trustedProxies: settings.trustedProxies,
    traced: settings.traceOtlpUrl !== undefined,
    tls,
    bodyLimit: BODY_LIMIT,
    mapError: storeProblem,
    openApi: OPEN_API,
  })
  const [relay, tails, producer] = [app.get(Relay), app.get(TableTails), app.get(SafeProducer)]
  const [removal, uses] = [app.get(BackgroundRemoval), app.get(KeyUses)]
  const wrongKeys = app.get(WrongKeyCounts)
  const [gone, failing] = [app.get(GoneWebhooks), app.get(FailingWebhooks)]
  const [handshakes, egress] = [app.get(BackgroundHandshakes), app.get(Egress)]
  const metrics = app.get(RequestMetrics)
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request, reply, done) => {
      metrics.answered(request.method, request.routeOptions.url, reply.statusCode, reply.elapsedTime)
      done()
    })
  const readiness = () => (database.reached ? tails.readiness() : 'has not reached Postgres yet')
  health.addReadiness('registry', readiness)
  const grpc = await GrpcServer.serve(app, {
    host: settings.listenHost,
    port: settings.registryGrpcPort,
    packages: ['posthorn.admin.v1'],
    files: PROTO_FILES,
    messageLimit: BODY_LIMIT,
    readiness,
    traced: settings.traceOtlpUrl !== undefined,
    tls,
  })
  // Listening comes first: until Postgres is reached a request gets an answer that says so, not a refused connection.
  const address = await listen(app, settings.listenHost, settings.registryPort)
  await Promise.all([database.connect(), producer.connect(), tails.start()])
  // Not waited for: it is for a person, and nothing depends on it.
  void new SealedValues(database).counts().then(
    counts => tellMissingKeys(sealer, countsOf(counts), logger),
    (error: unknown) => logger.warn({ err: error }, 'cannot see whether a master key is missing'),
  )
  relay.start()
  removal.start()
  gone.start()
  failing.start()
  uses.start()
  handshakes.start()
  wrongKeys.start()
  return { addresses: { http: address, grpc: grpc.address }, stop }

  async function stop(): Promise<void> {
    grpc.drain()
    await app.close()
    tls?.stop()
    app.get(WrongKeyReports).stop()
    // The relay may be waiting for a Kafka that is away: what it waits for is taken from it first.
    relay.end()
    await Promise.all([producer.close(), tails.stop()])
    const others = [gone, failing, uses, handshakes, wrongKeys, removal]
    await Promise.all([relay.stopped(), ...others.map(other => other.stop())])
    await egress.close()
    await database.close()
  }
}

/** An answer to an Idempotency-Key is gone after a day. */
function countsOf(sealed: readonly SealedCount[]): Map<string, number> {
  return new Map(sealed.map(({ id, secrets, headers, keys, channels }) => [id, secrets + headers + keys + channels]))
}

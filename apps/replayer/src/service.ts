import { NestFactory } from '@nestjs/core'
import { GroupProgress, KafkaConnection, kafkaOptionsFrom, SafeProducer } from '@posthorn/kafka'
import { SettingsError, type RunningService, type Service, type ServiceContext } from '@posthorn/process'
import { Database, openHistoryPool, SERVICE_RIGHTS } from '@posthorn/store'
import { NestLogger } from '@posthorn/telemetry'
import { ReplayPool } from './replay-pool.js'
import { ReplayerModule } from './replayer.module.js'

/** For the steps under way; what is not saved then is sent again by the next owner, and dropped as seen. */
const FINISH_MS = 5_000
const CONNECTIONS = 4

/** Sends deliveries again through bulk.v1, as replays of the API say. */
export const replayerService: Service = { target: 'replayer', start }

async function start(context: ServiceContext): Promise<RunningService> {
  const { settings, logger, health } = context
  const url = databaseUrlOf(settings.databaseUrl)
  const max = Math.min(CONNECTIONS, settings.databasePool)
  const database = new Database({
    url,
    poolSize: max,
    name: 'posthorn-replayer',
    logger,
    rights: SERVICE_RIGHTS.replayer,
  })
  const pool = openHistoryPool(url, {
    max,
    name: 'posthorn-replayer-history',
    onError: error => logger.warn({ err: error }, 'a connection to Postgres broke'),
  })
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'replayer'))
  const app = await NestFactory.createApplicationContext(ReplayerModule.with({ context, connection, database, pool }), {
    logger: new NestLogger(logger),
    abortOnError: false,
  })
  const [replays, producer] = [app.get(ReplayPool), app.get(SafeProducer)]
  health.addReadiness('replayer', () => (database.reached ? undefined : 'has not reached Postgres yet'))
  await Promise.all([database.connect(), producer.connect()])
  replays.start()
  return { addresses: {}, stop }

  async function stop(): Promise<void> {
    await replays.stop(FINISH_MS)
    await Promise.all([producer.close(), app.get(GroupProgress).close()])
    await app.close()
    await Promise.all([database.close(), pool.end()])
  }
}

function databaseUrlOf(url: string | undefined): string {
  if (url === undefined)
    throw new SettingsError(['POSTHORN_DATABASE_URL: replays are kept in Postgres: set it to postgres://…'])
  return url
}

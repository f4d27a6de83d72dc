import { createHttpApp } from '@posthorn/api'
import { KafkaConnection, kafkaOptionsFrom } from '@posthorn/kafka'
import { Health, readSettings } from '@posthorn/process'
import { Sealer } from '@posthorn/sealing'
import { Database } from '@posthorn/store'
import { createLogger, NestLogger } from '@posthorn/telemetry'
import { OPEN_API } from './open-api.js'
import { RegistryModule } from './registry.module.js'

/** The HTTP app of the registry with nothing behind it: for its routes and its document. The caller closes it. */
export function unconnectedApp() {
  const logger = createLogger('silent', 'contract')
  const settings = readSettings({
    POSTHORN_AUTH_PLATFORM_KEY: 'a-platform-key-of-nobody',
    POSTHORN_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    POSTHORN_SEALING_KEYS: `contract:${Buffer.alloc(32).toString('base64')}`,
  })
  const fatal = (error: Error) => {
    throw error
  }
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const parts = {
    context: { settings, logger, health, fatal },
    connection: new KafkaConnection(kafkaOptionsFrom(settings, logger, 'contract')),
    database: new Database({ url: settings.databaseUrl!, poolSize: 1, name: 'contract', logger }),
    sealer: new Sealer(settings.sealingKeys),
  }
  return createHttpApp(RegistryModule.with(parts), {
    nestLogger: new NestLogger(logger),
    log: logger,
    trustedProxies: [],
    bodyLimit: 1024,
    openApi: OPEN_API,
  })
}

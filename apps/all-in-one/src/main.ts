import { parseArgs } from 'node:util'
import { KafkaConnection, kafkaOptionsFrom, requireTopics } from '@posthorn/kafka'
import { exitOnSignals, readSettings, startServices, type Settings } from '@posthorn/process'
import { createLogger, type Logger } from '@posthorn/telemetry'
import { chooseTargets, type Target } from './targets.js'

const USAGE = `usage: main.js [--target=<name>[,<name>…]]   (default: all)

Runs services of Posthorn in this process. They are configured by POSTHORN_* variables
(docs/configuration.md) and stop in order on SIGTERM.`

async function run(targets: readonly Target[], settings: Settings, logger: Logger): Promise<void> {
  const services = await Promise.all(targets.map(({ load }) => load()))
  await requireTopics(new KafkaConnection(kafkaOptionsFrom(settings, logger, 'topics')))
  const running = await startServices(services, settings)
  exitOnSignals(running, logger)
  logger.info({ targets: services.map(service => service.target), addresses: running.addresses }, 'ready')
  // A supervisor waits for this; under Kubernetes there is none and the probes tell.
  process.send?.({ ready: true, addresses: running.addresses })
}

function main(): void {
  let targets: readonly Target[]
  let settings: Settings
  try {
    const { values } = parseArgs({ options: { target: { type: 'string' }, help: { type: 'boolean' } } })
    if (values.help) {
      console.log(USAGE)
      return
    }
    targets = chooseTargets(values.target ?? 'all')
    settings = readSettings(process.env)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`)
    process.exitCode = 2
    return
  }
  const logger = createLogger(settings.logLevel, 'posthorn')
  run(targets, settings, logger).catch((error: unknown) => {
    logger.fatal({ err: error }, 'could not start')
    process.exit(1)
  })
}

main()

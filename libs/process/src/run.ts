import { createLogger, startTelemetry, type Logger } from '@posthorn/telemetry'
import { Health } from './health.js'
import type { RunningService, Service } from './service.js'
import type { Settings } from './settings.js'

/**
 * More than a request under way may take (60 s), less than the grace period of the chart and compose.yaml
 * (90 s); the work that is left then is read again.
 */
const STOP_TIMEOUT_MS = 75_000

/**
 * Flags of Node for a process of services. Node's young generation of 16 MiB three times over is
 * made for short programs: with 8 a service peaks 60 to 100 MB lower at the same rate.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=8']

export interface RunningProcess {
  /** host:port by `<target>.<protocol>`, and `health`. */
  readonly addresses: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/** Starts services side by side in this process: telemetry and health first, then all of them together. */
export async function startServices(services: readonly Service[], settings: Settings): Promise<RunningProcess> {
  const name = services.length === 1 ? `posthorn-${services[0]!.target}` : 'posthorn'
  const logger = createLogger(settings.logLevel, name)
  const telemetry = startTelemetry({
    serviceName: name,
    otlpUrl: settings.traceOtlpUrl,
    traceRatio: settings.traceRatio,
    metricsOtlp:
      settings.metricsOtlpUrl === undefined
        ? undefined
        : { url: settings.metricsOtlpUrl, intervalMs: settings.metricsOtlpIntervalMs },
  })
  const health = new Health(telemetry)
  const healthPort = await health.listen(settings.listenHost, settings.healthPort)
  const running = new Map<string, RunningService>()
  const stop = async () => {
    health.markDraining()
    await Promise.all(
      [...running].map(([target, service]) =>
        service
          .stop()
          .catch((error: unknown) => logger.error({ target, err: error }, 'the service did not stop cleanly')),
      ),
    )
    await health.close()
    await telemetry.shutdown().catch((error: unknown) => logger.warn({ err: error }, 'the last telemetry was not sent'))
  }
  const context = (target: string) => ({
    settings,
    health,
    logger: logger.child({ target }),
    fatal: (error: Error) => die(logger, target, error),
  })
  try {
    await Promise.all(
      services.map(async service => running.set(service.target, await service.start(context(service.target)))),
    )
  } catch (error) {
    await stop()
    throw error
  }
  health.markStarted()
  const addresses: Record<string, string> = { health: `${settings.listenHost}:${healthPort}` }
  for (const [target, service] of running)
    for (const [protocol, address] of Object.entries(service.addresses)) addresses[`${target}.${protocol}`] = address
  return { addresses, stop }
}

/**
 * Runs until SIGTERM or SIGINT, or until the supervisor that started it is gone, then stops in
 * order and exits. An unhandled rejection ends the process: half a consumer is worse than none.
 */
export function exitOnSignals(running: RunningProcess, logger: Logger): void {
  let stopping = false
  const stop = (why: string) => {
    if (stopping) return
    stopping = true
    logger.info({ why }, 'stopping')
    setTimeout(() => {
      logger.error(`not stopped within ${STOP_TIMEOUT_MS / 1000} s: what was in flight is read again by the next owner`)
      process.exit(1)
    }, STOP_TIMEOUT_MS).unref()
    void running.stop().then(() => process.exit(0))
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal))
  process.on('disconnect', () => stop('the supervisor is gone'))
  process.on('unhandledRejection', reason =>
    die(logger, 'process', reason instanceof Error ? reason : new Error(String(reason))),
  )
}

function die(logger: Logger, target: string, error: Error): void {
  logger.fatal({ target, err: error }, 'ending this process: restart it, and the work goes on where it was committed')
  process.exit(1)
}

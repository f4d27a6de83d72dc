import { NestFactory } from '@nestjs/core'
import type { RunningService, Service, ServiceContext } from '@posthorn/process'
import { NestLogger } from '@posthorn/telemetry'
import { ReplayerModule } from './replayer.module.js'

/**
 * Replays deliveries and events through bulk.v1. There are no replay jobs yet, neither in the API nor
 * in the database, so it has nothing to claim and is ready at once. It already has its target, so that
 * Deployments, charts and dashboards that name all targets stay the same when jobs come.
 */
export const replayerService: Service = { target: 'replayer', start }

async function start({ logger, health }: ServiceContext): Promise<RunningService> {
  const app = await NestFactory.createApplicationContext(ReplayerModule, {
    logger: new NestLogger(logger),
    abortOnError: false,
  })
  health.addReadiness('replayer', () => undefined)
  return { addresses: {}, stop: () => app.close() }
}

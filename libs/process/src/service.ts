import type { Logger } from '@posthorn/telemetry'
import type { Health } from './health.js'
import type { Settings } from './settings.js'

/** What a process gives to each service that runs in it. */
export interface ServiceContext {
  readonly settings: Settings
  readonly logger: Logger
  readonly health: Health
  /** Ends the process with status 1: for a loop that died and cannot be trusted to come back. */
  fatal(error: Error): void
}

/** A service of the target table: made, started and stopped by the process it runs in. */
export interface Service {
  /** Folder, Deployment, target and metric prefix are all this name. */
  readonly target: string
  /** Resolves when it does its work: joined, caught up, listening. */
  start(context: ServiceContext): Promise<RunningService>
}

export interface RunningService {
  /** host:port by protocol, of the servers it opened. */
  readonly addresses: Readonly<Record<string, string>>
  /** Stops fetching, finishes or hands back what is in flight, commits, leaves. Never rejects for work that will be read again. */
  stop(): Promise<void>
}

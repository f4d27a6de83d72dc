import type { Settings } from '@posthorn/process'
import { checkedSettings, embeddedDir, withoutOwnVariables } from './local-plan.js'
import { RunFiles } from './run-file.js'

/**
 * The settings of the environment; brokers and database that it does not name are those of the stack
 * that runs here, if one does. Throws CommandFault with every problem.
 */
export function settingsHere(env: NodeJS.ProcessEnv): Settings {
  const own = withoutOwnVariables(env)
  const running = new RunFiles(embeddedDir(env)).running()
  if (running !== undefined) {
    if (!own.POSTHORN_KAFKA_BROKERS) own.POSTHORN_KAFKA_BROKERS = running.kafka
    if (!own.POSTHORN_DATABASE_URL && !own.POSTHORN_DATABASE_URL_FILE) own.POSTHORN_DATABASE_URL = running.postgres
  }
  return checkedSettings(own)
}

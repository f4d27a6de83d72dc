import type { Settings } from '@posthorn/process'
import { Database, pendingMigrations } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { clockFinding, fail, ok, reasonOf, warn, type Finding } from './check.js'

/** The oldest that is still cared for by its makers. */
const OLDEST_VERSION = 14

/** Whether Postgres answers, is of a version that will do and of our schema, and shares our time. */
export async function databaseChecks({ databaseUrl }: Settings): Promise<Finding[]> {
  if (databaseUrl === undefined)
    return [
      warn(
        'database.reachable',
        'POSTHORN_DATABASE_URL is not set.',
        'Set it to check the database; registry and monitor need it, delivery does not.',
      ),
    ]
  try {
    const missing = await pendingMigrations(databaseUrl)
    return missing.length > 0 ? [lacks(missing)] : await askedThings(databaseUrl)
  } catch (error) {
    const says = `Postgres does not let us in: ${reasonOf(error)}.`
    return [fail('database.reachable', says, 'Check that Postgres runs, and POSTHORN_DATABASE_URL.')]
  }
}

interface ServerFacts {
  readonly version: string
  /** ms since the epoch */
  readonly now: number
}

async function askedThings(url: string): Promise<Finding[]> {
  const logger = createLogger('silent', 'doctor')
  const database = new Database({ url, poolSize: 1, name: 'posthorn-doctor', logger })
  try {
    await database.connect()
    const started = Date.now()
    const [facts] = await database.manager.query<ServerFacts[]>(
      `SELECT current_setting('server_version') AS version,
              (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`,
    )
    const ended = Date.now()
    return [
      versionFinding(facts!.version),
      ok('database.migrations', 'The schema is that of this version.'),
      clockFinding('clock.database', 'Postgres', facts!.now - (started + ended) / 2, (ended - started) / 2),
    ]
  } finally {
    await database.close()
  }
}

function versionFinding(version: string): Finding {
  const major = Number.parseInt(version, 10)
  const says = `Postgres ${version} answers.`
  return major >= OLDEST_VERSION
    ? ok('database.reachable', says)
    : warn('database.reachable', says, `Use Postgres ${OLDEST_VERSION} or newer.`)
}

function lacks(missing: readonly string[]): Finding {
  return fail(
    'database.migrations',
    `Postgres answers; the database lacks ${missing.join(', ')}.`,
    'Run posthorn migrate.',
  )
}

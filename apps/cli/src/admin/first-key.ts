import { randomBytes, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { apiKeyFrom, apiKeyHash, apiKeyPrefix, type CreatedKeyView } from '@posthorn/api'
import { Database, Keys, pendingMigrations, type KeyRow } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { keyId } from '@posthorn/webhook'
import { CommandFault } from '../command.js'
import { settingsHere } from '../settings-here.js'

/**
 * Makes a platform key with the role admin in the database itself: who may write there needs no other
 * leave. The registry's relay publishes it, and the audit keeps it as the doing of `cli`.
 * Throws CommandFault when there is no such database, or not of this version.
 */
export async function makeFirstKey(name: string, env: NodeJS.ProcessEnv): Promise<CreatedKeyView> {
  const { databaseUrl } = settingsHere(env)
  if (databaseUrl === undefined)
    throw new CommandFault('POSTHORN_DATABASE_URL is not set: name the database of the platform.')
  await requireDatabase(databaseUrl)
  const logger = createLogger('error', 'posthorn-keys')
  const database = new Database({ url: databaseUrl, poolSize: 1, name: 'posthorn-keys', logger })
  try {
    await database.connect()
    return await insert(new Keys(database), name)
  } finally {
    await database.close()
  }
}

/** Database.connect would wait for it for ever. Throws CommandFault. */
export async function requireDatabase(url: string): Promise<void> {
  const missing = await pendingMigrations(url).catch((error: unknown) => {
    throw new CommandFault(`Postgres of POSTHORN_DATABASE_URL does not let us in: ${(error as Error).message}`)
  })
  if (missing.length > 0) throw new CommandFault('The database is not of this version: run posthorn migrate.')
}

async function insert(keys: Keys, name: string): Promise<CreatedKeyView> {
  const key = apiKeyFrom(randomBytes(32))
  const row = await keys.insert(
    {
      id: keyId(randomBytes(16)),
      tenant: null,
      name,
      hash: apiKeyHash(key),
      sealedSecret: null,
      prefix: apiKeyPrefix(key),
      roles: ['admin'],
      allowedIps: [],
      expiresAt: null,
    },
    (_before, after) => ({
      key: 'cli',
      address: hostname(),
      requestId: randomUUID(),
      tenant: null,
      action: 'key.created',
      subject: after!.id,
      before: null,
      after: viewOf(after!),
    }),
  )
  return { ...viewOf(row), key }
}

function viewOf(row: KeyRow): Omit<CreatedKeyView, 'key'> {
  const { id, name, prefix, roles, version } = row
  return {
    id,
    kind: 'bearer',
    scope: 'platform',
    tenant: null,
    name,
    prefix,
    roles,
    allowed_ips: [],
    expires_at: null,
    last_used_at: null,
    created_at: row.createdAt.toISOString(),
    version,
  }
}

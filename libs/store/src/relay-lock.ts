import { GivingUpClient, KEEP_ALIVE } from './giving-up-client.js'
import { OUTBOX_CHANNEL } from './outbox.js'

/** Any fixed number: who relays the outbox of this database holds the advisory lock of it. */
const RELAY_LOCK = 7_261_002
const TIMEOUT_MS = 5000
/** A server that has not heard of a holder for so long takes the lock from it: of a connection that is gone it may not hear for hours. */
const SILENT_MS = 60_000

/**
 * The right to relay: a session-level advisory lock on a connection of its own, which Postgres gives
 * to the next one as soon as this connection is gone. The same connection listens for changes that
 * other processes made.
 */
export class RelayLock {
  private constructor(private readonly client: GivingUpClient) {}

  /** Undefined while another process holds it. Rejects when Postgres is away. */
  static async acquire(url: string, onChange: () => void, silentMs = SILENT_MS): Promise<RelayLock | undefined> {
    const client = new GivingUpClient({
      connectionString: url,
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
      ...KEEP_ALIVE,
      application_name: 'posthorn-relay',
    })
    // A broken connection is noticed by the next check.
    client.on('error', () => undefined)
    client.on('notification', onChange)
    try {
      await client.connect()
      await client.query(`SET idle_session_timeout = ${silentMs}`)
      const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS held', [RELAY_LOCK])
      if (rows[0]?.held === true) {
        await client.query(`LISTEN ${OUTBOX_CHANNEL}`)
        return new RelayLock(client)
      }
    } catch (error) {
      await end(client)
      throw error
    }
    await end(client)
    return undefined
  }

  /** Rejects when the connection, and the lock with it, is gone. */
  async check(): Promise<void> {
    await this.client.query('SELECT 1')
  }

  async release(): Promise<void> {
    await end(this.client)
  }
}

async function end(client: GivingUpClient): Promise<void> {
  await client.end().catch(() => undefined)
}

import { authenticationContext, channelContext, headerContext, secretContext, tlsKeyContext } from '@posthorn/webhook'
import type { EntityManager } from 'typeorm'
import type { Database } from './data-source.js'
import { KeyRow, WebhookRow } from './entities.js'
import { idempotencyContext } from './idempotency.js'
import { changesNothing, saveRow } from './published-row.js'

/** The value sealed anew; throws where it does not open. */
export type Reseal = (sealed: string, context: string) => string

/** How much a master key has sealed, by its id. */
export interface SealedCount {
  readonly id: string
  readonly secrets: number
  /** Of webhooks, with their authentication and the keys of their client certificates. */
  readonly headers: number
  /** Of keys that sign. */
  readonly keys: number
  /** Of alerts: their addresses. */
  readonly channels: number
  /** Of requests with an Idempotency-Key; they are gone after a day. */
  readonly answers: number
}

/** An answer that is kept for an Idempotency-Key. */
export interface SealedAnswer {
  readonly scope: string
  readonly key: string
  readonly sealed: string
}

const COUNTS = `
  SELECT split_part(sealed, '.', 2) AS id,
    (count(*) FILTER (WHERE place = 'secret'))::int AS secrets,
    (count(*) FILTER (WHERE place = 'header'))::int AS headers,
    (count(*) FILTER (WHERE place = 'key'))::int AS keys,
    (count(*) FILTER (WHERE place = 'channel'))::int AS channels,
    (count(*) FILTER (WHERE place = 'answer'))::int AS answers
  FROM (
    SELECT 'secret' AS place, s ->> 'sealed' AS sealed FROM webhooks, jsonb_array_elements(secrets) s
    UNION ALL SELECT 'header', h.value FROM webhooks, jsonb_each_text(sealed_headers) h
    UNION ALL SELECT 'header', authentication ->> 'sealed' FROM webhooks WHERE authentication IS NOT NULL
    UNION ALL SELECT 'header', tls ->> 'sealedKey' FROM webhooks WHERE tls ->> 'sealedKey' IS NOT NULL
    UNION ALL SELECT 'key', sealed_secret FROM keys WHERE sealed_secret IS NOT NULL
    UNION ALL SELECT 'channel', sealed FROM alert_settings WHERE sealed IS NOT NULL
    UNION ALL SELECT 'answer', sealed_answer FROM idempotency WHERE sealed_answer IS NOT NULL) AS everything
  GROUP BY 1 ORDER BY 1`

/** Everything in Postgres that a master key has sealed: a column that is added has to be added here. */
export class SealedValues {
  constructor(private readonly database: Database) {}

  async counts(): Promise<readonly SealedCount[]> {
    return this.database.manager.query<SealedCount[]>(COUNTS)
  }

  /** Changes of webhooks and keys that are not on their topics yet. */
  async unpublished(): Promise<number> {
    const [row] = await this.database.manager.query<{ waiting: number }[]>(
      `SELECT count(*)::int AS waiting FROM outbox WHERE kind IN ('webhook', 'key')`,
    )
    return row!.waiting
  }

  /** Ids of webhooks with a value that does not start with `prefix`: a page, in their order, from `after` on. */
  async webhooksWithout(prefix: string, after: string, limit: number): Promise<readonly string[]> {
    const rows = await this.database.manager.query<{ id: string }[]>(
      `SELECT id FROM webhooks
       WHERE id > $2 AND deleted_at IS NULL
         AND (EXISTS (SELECT FROM jsonb_array_elements(secrets) s WHERE NOT starts_with(s ->> 'sealed', $1))
           OR NOT starts_with(authentication ->> 'sealed', $1)
           OR NOT starts_with(tls ->> 'sealedKey', $1)
           OR EXISTS (SELECT FROM jsonb_each_text(sealed_headers) h WHERE NOT starts_with(h.value, $1)))
       ORDER BY id LIMIT $3`,
      [prefix, after, limit],
    )
    return rows.map(row => row.id)
  }

  /** Seals all of a webhook anew, and has it published; false where nothing was to be done. */
  async resealWebhook(id: string, reseal: Reseal): Promise<boolean> {
    return this.database.manager.transaction(async tx => {
      const row = await locked(tx, id)
      if (!row) return false
      const secrets = row.secrets.map(secret => ({ ...secret, sealed: reseal(secret.sealed, secretContext(row)) }))
      const headers = Object.entries(row.sealedHeaders)
      const sealedHeaders = Object.fromEntries(headers.map(([n, value]) => [n, reseal(value, headerContext(id, n))]))
      const authentication = row.authentication && {
        ...row.authentication,
        sealed: reseal(row.authentication.sealed, authenticationContext(id, row.authentication.header)),
      }
      const tls = row.tls?.sealedKey ? { ...row.tls, sealedKey: reseal(row.tls.sealedKey, tlsKeyContext(id)) } : row.tls
      const change = { secrets, sealedHeaders, authentication, tls }
      if (changesNothing(row, change)) return false
      await saveRow(tx, WebhookRow, 'webhook', row, change)
      return true
    })
  }

  /** The same of keys that sign: pages of ids. */
  async keysWithout(prefix: string, after: string, limit: number): Promise<readonly string[]> {
    const rows = await this.database.manager.query<{ id: string }[]>(
      `SELECT id FROM keys
       WHERE id > $2 AND sealed_secret IS NOT NULL AND NOT starts_with(sealed_secret, $1) ORDER BY id LIMIT $3`,
      [prefix, after, limit],
    )
    return rows.map(row => row.id)
  }

  async resealKey(id: string, reseal: Reseal): Promise<boolean> {
    return this.database.manager.transaction(async tx => {
      const row = await tx
        .createQueryBuilder(KeyRow, 'k')
        .setLock('pessimistic_write')
        .where('k.id = :id AND k.sealed_secret IS NOT NULL', { id })
        .getOne()
      const change = row && { sealedSecret: reseal(row.sealedSecret!, id) }
      if (!row || !change || changesNothing(row, change)) return false
      await saveRow(tx, KeyRow, 'key', row, change)
      return true
    })
  }

  /** The same of channels of alerts. */
  async channelsWithout(prefix: string, after: string, limit: number): Promise<readonly string[]> {
    const rows = await this.database.manager.query<{ id: string }[]>(
      `SELECT id FROM alert_settings
       WHERE id > $2 AND sealed IS NOT NULL AND NOT starts_with(sealed, $1) ORDER BY id LIMIT $3`,
      [prefix, after, limit],
    )
    return rows.map(row => row.id)
  }

  async resealChannel(id: string, reseal: Reseal): Promise<boolean> {
    return this.database.manager.transaction(async tx => {
      const [row] = await tx.query<{ sealed: string }[]>(
        'SELECT sealed FROM alert_settings WHERE id = $1 AND sealed IS NOT NULL FOR UPDATE',
        [id],
      )
      const sealed = row && reseal(row.sealed, channelContext(id))
      if (sealed === undefined || sealed === row!.sealed) return false
      await tx.query('UPDATE alert_settings SET sealed = $2, version = version + 1 WHERE id = $1', [id, sealed])
      return true
    })
  }

  /** A page of answers that do not start with `prefix`, from one on. */
  async answersWithout(prefix: string, after: SealedAnswer | undefined, limit: number): Promise<SealedAnswer[]> {
    return this.database.manager.query<SealedAnswer[]>(
      `SELECT scope, key, sealed_answer AS sealed FROM idempotency
       WHERE sealed_answer IS NOT NULL AND NOT starts_with(sealed_answer, $1) AND (scope, key) > ($2, $3)
       ORDER BY scope, key LIMIT $4`,
      [prefix, after?.scope ?? '', after?.key ?? '', limit],
    )
  }

  /** Leaves alone what was answered anew meanwhile. */
  async resealAnswer({ scope, key, sealed }: SealedAnswer, reseal: Reseal): Promise<void> {
    await this.database.manager.query(
      'UPDATE idempotency SET sealed_answer = $4 WHERE scope = $1 AND key = $2 AND sealed_answer = $3',
      [scope, key, sealed, reseal(sealed, idempotencyContext(scope, key))],
    )
  }
}

async function locked(tx: EntityManager, id: string): Promise<WebhookRow | null> {
  return tx
    .createQueryBuilder(WebhookRow, 'w')
    .setLock('pessimistic_write')
    .where('w.id = :id AND w.deleted_at IS NULL', { id })
    .getOne()
}

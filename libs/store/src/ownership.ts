import type { Ownership } from '@posthorn/webhook'
import { In } from 'typeorm'
import type { Database } from './data-source.js'
import { WebhookRow } from './entities.js'

/** Whoever registers a URL of somebody else's has it asked no oftener than this, by all registries together. */
export const HANDSHAKE_EVERY_S = 10
/** Longer than a handshake takes: one whose registry died is begun again after it. */
const CLAIMED_S = 30

const FREE = `(verify_claimed_at IS NULL OR verify_claimed_at <= now() - interval '${HANDSHAKE_EVERY_S} s')`
const CLAIM = `verify_claimed_at = now(),
  verify_at = CASE WHEN status = 'pending' THEN now() + interval '${CLAIMED_S} s' END`

/** Which webhooks are to be asked for their consent, each by one registry at a time. All times are the database's. */
export class Ownerships {
  constructor(private readonly database: Database) {}

  /** Those whose turn it is, taken so that no other registry asks them meanwhile. */
  async claimDue(limit: number): Promise<WebhookRow[]> {
    const ids = await this.claimed(
      `WHERE id IN (
         SELECT id FROM webhooks
         WHERE verify_at <= now() AND status = 'pending' AND deleted_at IS NULL AND ${FREE}
         ORDER BY verify_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
      [limit],
    )
    return ids.length === 0 ? [] : this.database.manager.findBy(WebhookRow, { id: In(ids) })
  }

  /** One of them, whose time it need not be; false when it was asked a moment ago. */
  async claim(id: string): Promise<boolean> {
    return (await this.claimed(`WHERE id = $1 AND deleted_at IS NULL AND ${FREE}`, [id])).length > 0
  }

  /** Keeps what was said, unless the webhook has another URL by now, or its receiver has agreed to another handshake. */
  async noteRefusal({ id, url }: WebhookRow, ownership: Ownership, delayMs: number | undefined): Promise<void> {
    await this.database.manager.query(
      `UPDATE webhooks SET ownership = $3::jsonb,
         verify_at = CASE WHEN status = 'pending' THEN now() + $4 * interval '1 ms' END
       WHERE id = $1 AND url = $2 AND deleted_at IS NULL AND ownership ->> 'verifiedAt' IS NULL`,
      [id, url, JSON.stringify(ownership), delayMs ?? null],
    )
  }

  private async claimed(where: string, values: unknown[]): Promise<string[]> {
    const sql = `UPDATE webhooks SET ${CLAIM} ${where} RETURNING id`
    const [rows] = (await this.database.manager.query(sql, values)) as [{ id: string }[], number]
    return rows.map(({ id }) => id)
  }
}

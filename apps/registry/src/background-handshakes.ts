import type { Audited, Ownerships, WebhookRow } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'
import { Bell } from './bell.js'
import { ACTOR } from './facet-actor.js'
import type { WebhookOwnership } from './webhook-ownership.js'
import { settingsView } from './webhook-view.js'

/** What another registry left behind when it died is found after this. */
const LOOK_EVERY_MS = 2_000
/** Of one registry: a receiver that hangs keeps one of them for 10 s. */
export const HANDSHAKES_AT_ONCE = 32

export interface BackgroundHandshakesParts {
  readonly ownerships: Pick<Ownerships, 'claimDue'>
  readonly ownership: Pick<WebhookOwnership, 'handshake'>
  readonly logger: Logger
  /** Whether this deployment asks receivers at all. */
  readonly enabled: boolean
}

/**
 * Asks the receivers of pending webhooks, again and again with growing delays. When each is asked next stands in
 * Postgres, and who asks it claims it there: several registries do it once, and a killed one loses nothing.
 */
export class BackgroundHandshakes {
  private readonly bell = new Bell()
  private readonly ending = new AbortController()
  private readonly underWay = new Set<Promise<void>>()
  private running: Promise<void> = Promise.resolve()

  constructor(private readonly parts: BackgroundHandshakesParts) {}

  start(): void {
    if (this.parts.enabled) this.running = this.run()
  }

  /** A webhook became pending: ask now. */
  wake(): void {
    this.bell.ring()
  }

  async stop(): Promise<void> {
    this.ending.abort()
    this.bell.ring()
    await this.running
    await Promise.all(this.underWay)
  }

  private async run(): Promise<void> {
    let said = ''
    while (!this.ending.signal.aborted) {
      try {
        const room = HANDSHAKES_AT_ONCE - this.underWay.size
        for (const row of room > 0 ? await this.parts.ownerships.claimDue(room) : []) this.begin(row)
        said = ''
      } catch (error) {
        if (String(error) !== said) this.parts.logger.warn({ err: error }, 'asking receivers for their consent waits')
        said = String(error)
      }
      await this.bell.wait(LOOK_EVERY_MS)
    }
  }

  private begin(row: WebhookRow): void {
    const { id: webhook, tenant } = row
    const one = this.parts.ownership
      .handshake(row, trailOf(row), this.ending.signal)
      .catch((error: unknown) => {
        // Its claim ends by itself, and then it is asked again.
        if (!this.ending.signal.aborted)
          this.parts.logger.warn({ err: error, webhook, tenant }, 'a handshake failed here: it is made again')
      })
      .finally(() => {
        this.underWay.delete(one)
        this.bell.ring()
      })
    this.underWay.add(one)
  }
}

function trailOf({ id, tenant, ownership }: WebhookRow): Audited<WebhookRow> {
  return (before, after) => ({
    key: ACTOR,
    address: '',
    requestId: `handshake ${(ownership?.attempts ?? 0) + 1}`,
    tenant,
    action: 'webhook.verified',
    subject: id,
    before: before ? settingsView(before) : null,
    after: after ? settingsView(after) : null,
  })
}

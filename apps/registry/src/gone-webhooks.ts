import { TableFollower, type KafkaConnection } from '@posthorn/kafka'
import type { Webhooks } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'
import { decodeGone, WEBHOOK_STATE, type GoneWebhook } from '@posthorn/topics'
import { Bell } from './bell.js'
import { webhookView } from './webhook-view.js'

/** While Postgres is away. */
const RETRY_MS = 5_000
/** Who disables them, as the audit has it. */
const ACTOR = 'posthorn'

export interface GoneParts {
  readonly connection: KafkaConnection
  readonly webhooks: Pick<Webhooks, 'change'>
  readonly logger: Logger
  readonly fatal: (error: Error) => void
  /** The document of a webhook is to be published. */
  readonly changed: () => void
}

/**
 * Disables the webhooks that answered 410, as the deliverer says on webhook-state.v1. The topic is read
 * from its beginning at each start: what was changed since the answer, enabled for one, stays as it is.
 */
export class GoneWebhooks {
  private readonly follower: TableFollower<GoneWebhook & { readonly id: string }>
  private readonly waiting = new Map<string, GoneWebhook>()
  private readonly bell = new Bell()
  private ending = false
  private running: Promise<void> = Promise.resolve()

  constructor(private readonly parts: GoneParts) {
    this.follower = new TableFollower(parts.connection, {
      topic: WEBHOOK_STATE,
      decode: decodeGone,
      fatal: parts.fatal,
      onChange: (id, gone) => {
        if (!gone) return
        this.waiting.set(id, gone)
        this.bell.ring()
      },
    })
  }

  /** Does not wait for Kafka: nothing else depends on it. */
  start(): void {
    this.follower.start().catch((error: unknown) => this.parts.fatal(error as Error))
    this.running = this.run()
  }

  async stop(): Promise<void> {
    this.ending = true
    this.bell.ring()
    await Promise.all([this.follower.stop(), this.running])
  }

  private async run(): Promise<void> {
    while (!this.ending) {
      try {
        for (const [id, gone] of this.waiting) {
          if (this.ending) return
          await this.disable(gone)
          if (this.waiting.get(id) === gone) this.waiting.delete(id)
        }
      } catch (error) {
        this.parts.logger.warn({ err: error }, 'disabling the webhooks that are gone waits')
      }
      await this.bell.wait(RETRY_MS)
    }
  }

  private async disable({ webhook, tenant, version, delivery }: GoneWebhook): Promise<void> {
    let disabled = false
    await this.parts.webhooks.change(
      tenant,
      webhook,
      undefined,
      row => {
        disabled = row.version <= version && row.status !== 'disabled'
        return disabled ? { status: 'disabled' } : {}
      },
      (before, after) => ({
        key: ACTOR,
        address: '',
        requestId: delivery,
        tenant,
        action: 'webhook.gone',
        subject: webhook,
        before: before ? webhookView(before) : null,
        after: after ? webhookView(after) : null,
      }),
    )
    if (!disabled) return
    this.parts.logger.info({ webhook, tenant, delivery }, 'this webhook answered 410: it is disabled')
    this.parts.changed()
  }
}

import { decodeGone, type GoneWebhook } from '@posthorn/topics'
import { ACTOR, FacetActor, type ActingParts } from './facet-actor.js'
import { settingsView } from './webhook-view.js'

/**
 * Disables the webhooks that answered 410, as the deliverer says. What was changed since the answer, enabled
 * for one, stays as it is.
 */
export class GoneWebhooks {
  private readonly actor: FacetActor<GoneWebhook & { readonly id: string }>

  constructor(private readonly parts: ActingParts) {
    this.actor = new FacetActor(parts, decodeGone, gone => this.disable(gone))
  }

  start(): void {
    this.actor.start()
  }

  stop(): Promise<void> {
    return this.actor.stop()
  }

  private async disable({ webhook, tenant, version, delivery, at }: GoneWebhook): Promise<void> {
    let disabled = false
    await this.parts.webhooks.change(
      tenant,
      webhook,
      undefined,
      row => {
        disabled = row.version <= version && row.status !== 'disabled'
        return disabled ? { status: 'disabled', disabledReason: { rule: 'gone', at } } : {}
      },
      (before, after) => ({
        key: ACTOR,
        address: '',
        requestId: delivery,
        tenant,
        action: 'webhook.gone',
        subject: webhook,
        before: before ? settingsView(before) : null,
        after: after ? settingsView(after) : null,
      }),
    )
    if (!disabled) return
    this.parts.logger.info({ webhook, tenant, delivery }, 'this webhook answered 410: it is disabled')
    this.parts.changed()
  }
}

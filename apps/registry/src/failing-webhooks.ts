import { raiseOwnEvent, shownUrl, type WebhookRow } from '@posthorn/store'
import { decodeHealth, type OwnEvent, type WebhookHealthDocument } from '@posthorn/topics'
import { ACTOR, FacetActor, type ActingParts } from './facet-actor.js'
import { settingsView } from './webhook-view.js'

export interface FailingParts extends ActingParts {
  /** For webhooks that do not say it themselves; 0: never. */
  readonly disableAfterSeconds: number
}

/**
 * Disables the webhooks that have done nothing but fail for too long, as the monitor says. One that began anew
 * since its failures, enabled by a person for one, stays as it is, and so does one that may now fail for longer.
 */
export class FailingWebhooks {
  private readonly actor: FacetActor<WebhookHealthDocument>

  constructor(private readonly parts: FailingParts) {
    this.actor = new FacetActor(parts, decodeHealth, async facet => {
      if (facet.health === 'due') await this.disable(facet)
    })
  }

  start(): void {
    this.actor.start()
  }

  stop(): Promise<void> {
    return this.actor.stop()
  }

  private async disable(facet: WebhookHealthDocument): Promise<void> {
    const { webhook, tenant, failingSince: since = 0, failures } = facet
    const failingSince = new Date(since).toISOString()
    let disabled = false
    await this.parts.webhooks.change(
      tenant,
      webhook,
      undefined,
      row => {
        disabled = this.isToBeDisabled(row, facet)
        const reason = { rule: 'failing', at: new Date().toISOString(), failingSince } as const
        return disabled ? { status: 'disabled', disabledReason: reason } : {}
      },
      (before, after) => ({
        key: ACTOR,
        address: '',
        requestId: `health ${facet.version}`,
        tenant,
        action: 'webhook.failing',
        subject: webhook,
        before: before ? settingsView(before) : null,
        after: after ? settingsView(after) : null,
      }),
      (run, _before, after) => raiseOwnEvent(run, this.eventOf(facet, after)),
    )
    if (!disabled) return
    const line = { webhook, tenant, failing_since: failingSince, failures }
    this.parts.logger.warn(line, 'this webhook did nothing but fail: it is disabled')
    this.parts.changed()
  }

  private isToBeDisabled(row: WebhookRow, { failingSince = 0, countedMs }: WebhookHealthDocument): boolean {
    const afterMs = this.disableAfterOf(row) * 1000
    if (row.status !== 'active' || afterMs === 0 || countedMs < afterMs) return false
    return row.activeSince === null || row.activeSince.getTime() < failingSince
  }

  private disableAfterOf(row: WebhookRow): number {
    return row.disableAfterSeconds ?? this.parts.disableAfterSeconds
  }

  private eventOf(facet: WebhookHealthDocument, row: WebhookRow): OwnEvent {
    const { webhook, tenant, failingSince = 0, failures, countedMs, version } = facet
    return {
      id: `${webhook}.disabled.${version}`,
      tenant,
      subject: webhook,
      type: 'posthorn.webhook.disabled',
      time: row.updatedAt.toISOString(),
      data: {
        webhook,
        url: shownUrl(row.url),
        rule: 'failing',
        failing_since: new Date(failingSince).toISOString(),
        failures,
        failed_seconds: Math.floor(countedMs / 1000),
        disable_after_seconds: this.disableAfterOf(row),
      },
    }
  }
}

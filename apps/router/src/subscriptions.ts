import { metrics } from '@opentelemetry/api'
import { TableFollower, type KafkaConnection, type TablePosition } from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import { decodeWebhook, WEBHOOKS } from '@posthorn/topics'
import { receivesEvents, SubscriptionIndex, type Webhook, type WebhookEvent } from '@posthorn/webhook'
import type { Target } from './route.js'

interface SubscriptionsOptions {
  readonly logger: Logger
  fatal(error: Error): void
}

/** The webhooks that take events, kept up to date from their compacted topic. */
export class Subscriptions {
  private readonly index = new SubscriptionIndex<Target>()
  /** Webhooks that this version cannot match; see keep(). */
  private readonly unusable = new Set<string>()
  private readonly follower: TableFollower<Webhook>
  private readonly logger: Logger
  private caughtUp = false

  constructor(connection: KafkaConnection, options: SubscriptionsOptions) {
    this.logger = options.logger
    this.follower = new TableFollower<Webhook>(connection, {
      topic: WEBHOOKS,
      decode: decodeWebhook,
      fatal: options.fatal,
      onChange: (id, webhook, position) => this.change(id, webhook, position),
    })
    const meter = metrics.getMeter('posthorn')
    meter
      .createObservableGauge('posthorn_router_webhooks', { description: 'Webhooks that events are matched against.' })
      .addCallback(result => result.observe(this.index.size))
    meter
      .createObservableGauge('posthorn_router_webhooks_unusable', {
        description: 'Webhooks left out of matching because this version cannot read their subscription.',
      })
      .addCallback(result => result.observe(this.unusable.size))
  }

  /** Resolves when the table was read to its end: an event matched earlier could miss a webhook. */
  async start(): Promise<void> {
    await this.follower.start()
    this.caughtUp = true
  }

  stop(): Promise<void> {
    return this.follower.stop()
  }

  readiness(): string | undefined {
    return this.caughtUp ? undefined : 'is reading the webhooks'
  }

  match(event: WebhookEvent, data: Uint8Array): Target[] {
    return this.index.match(event, data)
  }

  private change(id: string, webhook: Webhook | undefined, { stale }: TablePosition): void {
    if (stale) return
    if (webhook && receivesEvents(webhook.status)) this.keep(webhook)
    else this.drop(id)
  }

  /**
   * A subscription that does not compile was written by a newer version. It is left out, loudly,
   * rather than matched blindly (its tenant would get events it asked not to get) or waited for
   * (every other webhook would stand still). Its earlier version is left out with it.
   */
  private keep(webhook: Webhook): void {
    const { id, tenant, events, filter, version } = webhook
    try {
      this.index.put(
        { webhook: id, tenant, events, ...(filter === undefined ? {} : { filter }) },
        { webhook: id, version },
      )
      this.unusable.delete(id)
    } catch (error) {
      this.drop(id)
      this.unusable.add(id)
      this.logger.error(
        { alert: 'webhook_unusable', webhook: id, version, err: error },
        'this webhook receives no events from this router: it cannot read the subscription; upgrade the router, then replay what was missed',
      )
    }
  }

  private drop(id: string): void {
    this.index.remove(id)
    this.unusable.delete(id)
  }
}

import { metrics } from '@opentelemetry/api'
import { TableFollower, type KafkaConnection } from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import { decodeWebhook, WEBHOOKS } from '@posthorn/topics'
import {
  PROBE_TENANT,
  PROBE_TYPE,
  PROBE_WEBHOOK,
  parseTypePattern,
  receivesEvents,
  SubscriptionIndex,
  type Webhook,
  type WebhookEvent,
} from '@posthorn/webhook'
import type { Target } from './route.js'

interface SubscriptionsOptions {
  readonly logger: Logger
  /** Whether probes are routed. */
  readonly probed: boolean
  fatal(error: Error): void
}

/** The webhooks that take events, kept up to date from their compacted topic. */
export class Subscriptions {
  private readonly index = new SubscriptionIndex<Target>()
  /** Webhooks whose subscription this version cannot read; see keep(). */
  private readonly unusable = new Set<string>()
  private readonly follower: TableFollower<Webhook>
  private readonly logger: Logger

  constructor(connection: KafkaConnection, options: SubscriptionsOptions) {
    this.logger = options.logger
    if (options.probed)
      this.index.put(
        { webhook: PROBE_WEBHOOK, tenant: PROBE_TENANT, events: [PROBE_TYPE] },
        { webhook: PROBE_WEBHOOK, version: 1 },
      )
    this.follower = new TableFollower<Webhook>(connection, {
      topic: WEBHOOKS,
      decode: decodeWebhook,
      fatal: options.fatal,
      onChange: (id, webhook) => this.change(id, webhook),
    })
    const meter = metrics.getMeter('posthorn')
    meter
      .createObservableGauge('posthorn_router_webhooks', { description: 'Webhooks that events are matched against.' })
      .addCallback(result => result.observe(this.index.size - (options.probed ? 1 : 0)))
    meter
      .createObservableGauge('posthorn_router_webhooks_unusable', {
        description: 'Webhooks whose events are set aside because this version cannot read their subscription.',
      })
      .addCallback(result => result.observe(this.unusable.size))
  }

  /** Resolves when the table was read to its end: an event matched earlier could miss a webhook. */
  start(): Promise<void> {
    return this.follower.start()
  }

  stop(): Promise<void> {
    return this.follower.stop()
  }

  /** Whether a webhook that was created some time ago may be missing here. */
  get isBehind(): boolean {
    return this.follower.isBehind
  }

  /** Resolves when the registry has published all that it has. */
  get whole(): Promise<void> {
    return this.follower.whole
  }

  readiness(): string | undefined {
    return this.follower.isCaughtUp ? undefined : 'is reading the webhooks'
  }

  match(event: WebhookEvent, data: Uint8Array): Target[] {
    return this.index.match(event, data)
  }

  private change(id: string, webhook: Webhook | undefined): void {
    if (id === PROBE_WEBHOOK) return
    if (webhook && receivesEvents(webhook.status)) this.keep(webhook)
    else this.drop(id)
  }

  /**
   * A subscription that does not compile was written by a newer version. It is neither matched blindly
   * (its tenant would get events it asked not to get) nor waited for (every other webhook would stand
   * still): the events of its types are set aside for it, to be redriven after the upgrade.
   */
  private keep(webhook: Webhook): void {
    const { id, tenant, events, filter, version, ordering } = webhook
    const subscription = { webhook: id, tenant, events, ...(filter === undefined ? {} : { filter }) }
    try {
      this.index.put(subscription, { webhook: id, version, ...(ordering === undefined ? {} : { ordering }) })
      this.unusable.delete(id)
    } catch (error) {
      const readable = events.every(pattern => parseTypePattern(pattern) !== undefined)
      const unreadable = error instanceof Error ? error.message : String(error)
      this.index.put({ webhook: id, tenant, events: readable ? events : ['*'] }, { webhook: id, version, unreadable })
      this.unusable.add(id)
      this.logger.error(
        { alert: 'webhook_unusable', webhook: id, version, err: error },
        'this router cannot read the subscription of this webhook: its events go to the poison topic; upgrade the router, then redrive them',
      )
    }
  }

  private drop(id: string): void {
    this.index.remove(id)
    this.unusable.delete(id)
  }
}

import { metrics } from '@opentelemetry/api'
import type { Logger } from '@posthorn/telemetry'
import type { Schemas } from './schemas.js'
import type { Subscriptions } from './subscriptions.js'
import type { Tenants } from './tenants.js'

/** A registry that starts together with this router needs some seconds. */
const SAY_AFTER_MS = 30_000

/** Why no event may be routed now: one that somebody wants could pass by. */
export type Held = 'unanswered' | 'unpublished'

export interface TablesParts {
  readonly subscriptions: Subscriptions
  readonly schemas: Schemas
  readonly tenants: Tenants
  readonly logger: Logger
}

/**
 * What has to be known before an event is routed. On a cluster that is new the registry publishes it only
 * now: a router that began with an empty table would pass by the events of all the webhooks that come.
 */
export class Tables {
  private isPublished = false
  private warning?: NodeJS.Timeout

  constructor(private readonly parts: TablesParts) {
    metrics
      .getMeter('posthorn')
      .createObservableGauge('posthorn_router_held', {
        description: 'Whether events wait because webhooks may be missing, by why: no broker answers, or no registry.',
      })
      .addCallback(result => {
        for (const reason of ['unanswered', 'unpublished'] as const)
          result.observe(this.held === reason ? 1 : 0, { reason })
      })
  }

  /** Resolves when all are read to their ends; then they may still be held. */
  async start(): Promise<void> {
    const { subscriptions, schemas, tenants, logger } = this.parts
    await Promise.all([subscriptions.start(), schemas.start(), tenants.start()])
    this.warning = setTimeout(() => this.warn(), SAY_AFTER_MS).unref()
    void this.published().catch((error: unknown) => logger.error({ err: error }, 'the tables cannot be read'))
  }

  async stop(): Promise<void> {
    clearTimeout(this.warning)
    await Promise.all(this.all.map(table => table.stop()))
  }

  get held(): Held | undefined {
    if (!this.isPublished) return 'unpublished'
    return this.parts.subscriptions.isBehind ? 'unanswered' : undefined
  }

  /** Of the tables as a whole; each has its own besides. */
  readiness(): string | undefined {
    switch (this.held) {
      case 'unpublished':
        return 'waits for the registry to publish the webhooks, none of which are on their topic yet: events wait'
      case 'unanswered':
        return 'no broker answers for a partition of the webhooks: events wait'
      case undefined:
        return undefined
    }
  }

  /** The webhooks are marked after the other topics, which so need only be read to their present ends. */
  private async published(): Promise<void> {
    const { subscriptions, schemas, tenants, logger } = this.parts
    await subscriptions.whole
    await Promise.all([schemas.readToEnd(), tenants.readToEnd()])
    clearTimeout(this.warning)
    this.isPublished = true
    logger.debug('all webhooks are known: events are routed')
  }

  private warn(): void {
    this.parts.logger.warn(
      { alert: 'webhooks_unpublished' },
      'no event is routed: webhooks.v1 is empty or not complete. A registry of this version that reaches Kafka and Postgres completes it',
    )
  }

  private get all() {
    return [this.parts.subscriptions, this.parts.schemas, this.parts.tenants]
  }
}

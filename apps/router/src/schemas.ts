import { metrics } from '@opentelemetry/api'
import { checkReports, EventChecks } from '@posthorn/catalogue'
import { TableFollower, type KafkaConnection } from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import { CATALOGUE, decodeEventType, type EventTypeDocument } from '@posthorn/topics'
import type { Problem, WebhookEvent } from '@posthorn/webhook'

interface SchemasOptions {
  readonly logger: Logger
  fatal(error: Error): void
}

/** The schemas of event types, from their compacted topic: they hold while the database is down. */
export class Schemas {
  private readonly checks: EventChecks
  private readonly follower: TableFollower<EventTypeDocument>

  constructor(connection: KafkaConnection, { logger, fatal }: SchemasOptions) {
    const misfits = metrics.getMeter('posthorn').createCounter('posthorn_router_schema_misfits', {
      description: 'Events that did not fit the schema of their type, by what the type says is done with them.',
    })
    this.checks = new EventChecks({ ...checkReports({ service: 'router', logger, misfits }), now: Date.now })
    this.follower = new TableFollower<EventTypeDocument>(connection, {
      topic: CATALOGUE,
      decode: decodeEventType,
      fatal,
      onChange: (id, type) => {
        if (type) this.checks.put(type)
        else this.checks.remove(id)
      },
    })
  }

  /** Resolves when the table was read to its end: an event routed earlier could pass unchecked. */
  start(): Promise<void> {
    return this.follower.start()
  }

  stop(): Promise<void> {
    return this.follower.stop()
  }

  /** Resolves when all is read that is on the topic now. */
  readToEnd(): Promise<void> {
    return this.follower.readToEnd()
  }

  readiness(): string | undefined {
    return this.follower.isCaughtUp ? undefined : 'is reading the event types'
  }

  /** Whether the tenant's catalogue has the type of an event. */
  knows({ tenant, type }: WebhookEvent): boolean {
    return this.checks.knows(tenant, type)
  }

  /** The faults for which an event must not be routed; undefined when it may. */
  faults(event: WebhookEvent, data: Uint8Array): readonly Problem[] | undefined {
    return this.checks.faults(event, data)
  }
}

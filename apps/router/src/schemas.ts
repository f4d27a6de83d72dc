import { metrics } from '@opentelemetry/api'
import { EventChecks, type MisfitReport } from '@posthorn/catalogue'
import { TableFollower, type KafkaConnection } from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import { CATALOGUE, decodeEventType, type EventTypeDocument } from '@posthorn/topics'
import type { Problem, WebhookEvent } from '@posthorn/webhook'

interface SchemasOptions {
  readonly logger: Logger
  fatal(error: Error): void
}

const MODES = { warn: { mode: 'warn' }, enforce: { mode: 'enforce' } } as const

/** The schemas of event types, from their compacted topic: they hold while the database is down. */
export class Schemas {
  private readonly checks: EventChecks
  private readonly follower: TableFollower<EventTypeDocument>
  private caughtUp = false

  constructor(connection: KafkaConnection, { logger, fatal }: SchemasOptions) {
    const misfits = metrics.getMeter('posthorn').createCounter('posthorn_router_schema_misfits', {
      description: 'Events that did not fit the schema of their type, by what the type says is done with them.',
    })
    this.checks = new EventChecks({
      misfit: mode => misfits.add(1, MODES[mode]),
      report: report => logMisfits(logger, report),
      unusable: ({ id, version }, problems) =>
        logger.error(
          { alert: 'schema_unusable', event_type: id, version, problems },
          'events of this type are not checked by this router: it cannot read the schema; upgrade the router',
        ),
      now: () => Date.now(),
    })
    this.follower = new TableFollower<EventTypeDocument>(connection, {
      topic: CATALOGUE,
      decode: decodeEventType,
      fatal,
      onChange: (id, type, { stale }) => {
        if (stale) return
        if (type) this.checks.put(type)
        else this.checks.remove(id)
      },
    })
  }

  /** Resolves when the table was read to its end: an event routed earlier could pass unchecked. */
  async start(): Promise<void> {
    await this.follower.start()
    this.caughtUp = true
  }

  stop(): Promise<void> {
    return this.follower.stop()
  }

  readiness(): string | undefined {
    return this.caughtUp ? undefined : 'is reading the event types'
  }

  /** The faults for which an event must not be routed; undefined when it may. */
  faults(event: WebhookEvent, data: Uint8Array): readonly Problem[] | undefined {
    return this.checks.faults(event, data)
  }
}

function logMisfits(logger: Logger, { type, events, problems }: MisfitReport): void {
  const { id, mode } = type
  logger.warn({ event_type: id, mode, events, problems }, 'events do not fit the schema of their type')
}

import type { CheckedType, EventChecksOptions, MisfitReport } from './event-checks.js'

/** What telling of checks needs: a logger and a counter, as every service has them. */
export interface CheckOutputs {
  /** Whose checks these are: ingest or router. */
  readonly service: string
  readonly logger: { warn(fields: object, message: string): void; error(fields: object, message: string): void }
  readonly misfits: { add(value: number, attributes: { readonly mode: string }): void }
}

const MODES = { warn: { mode: 'warn' }, enforce: { mode: 'enforce' } } as const

/** Checks that tell of misfits and of schemas they cannot read in the same words, whoever makes them. */
export function checkReports({ service, logger, misfits }: CheckOutputs): Omit<EventChecksOptions, 'now'> {
  return {
    misfit: mode => misfits.add(1, MODES[mode]),
    report: ({ type: { id, mode }, events, problems }: MisfitReport) =>
      logger.warn({ event_type: id, mode, events, problems }, 'events do not fit the schema of their type'),
    unusable: ({ id, version }: CheckedType, problems) =>
      logger.error(
        { alert: 'schema_unusable', event_type: id, version, problems },
        `events of this type are not checked by this ${service}: it cannot read the schema; upgrade the ${service}`,
      ),
  }
}

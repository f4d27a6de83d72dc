import { ATTEMPTS } from './attempts.js'
import type { ReadRecord, TopicContract } from './contract.js'
import { DEAD_LETTERS } from './dead-letters.js'
import { BULK, DELAYS, DELIVERIES, DUE } from './deliveries.js'
import { EVENTS } from './events.js'

/**
 * A record that was set aside in poison.v1 and is put back on its topic. Its value is what it was; one header says
 * that it comes again, and who alone is to read it:
 *
 *   posthorn_redrive = JSON object Redrive
 */
export const REDRIVE_HEADER = 'posthorn_redrive'

export interface Redrive {
  /** Id of the poison that it was. */
  readonly of: string
  /** How many times it was set aside by then. */
  readonly count: number
  /** The only service that has not handled it; absent: whoever reads the topic. */
  readonly reader?: PoisonReader
  /** The only webhook that it was not routed to; absent: all. */
  readonly webhook?: string
}

/** A service that set a record aside which others of its topic have read. */
export type PoisonReader = 'monitor'

/** What the header says; undefined for a record that comes for the first time. Rubbish in it is as if it were not there. */
export function redriveOf({ headers }: Pick<ReadRecord, 'headers'>): Redrive | undefined {
  const header = headers?.[REDRIVE_HEADER]
  if (header === undefined) return undefined
  const text = (Array.isArray(header) ? header[0] : header)?.toString()
  try {
    const read = JSON.parse(text ?? '') as Partial<Redrive> | null
    if (typeof read?.of !== 'string' || !Number.isSafeInteger(read.count) || read.count! < 1) return undefined
    const { of, count, reader, webhook } = read as Redrive
    return {
      of,
      count,
      ...(reader === 'monitor' ? { reader } : {}),
      ...(typeof webhook === 'string' ? { webhook } : {}),
    }
  } catch {
    return undefined
  }
}

/** Whether a record comes again for the history alone: for all others it is what they have read already. */
export function isForMonitorAlone(record: Pick<ReadRecord, 'headers'>): boolean {
  return redriveOf(record)?.reader === 'monitor'
}

export function redriveHeader(redrive: Redrive): Readonly<Record<string, string>> {
  return { [REDRIVE_HEADER]: JSON.stringify(redrive) }
}

const READ_AGAIN = new Map(
  [EVENTS, DELIVERIES, DUE, BULK, ATTEMPTS, DEAD_LETTERS].map(topic => [topic.name, topic] as const),
)
const WAITS = new Set(Object.values(DELAYS).map(({ name }) => name))

/**
 * Where a record that stood on a topic is put back; undefined where it cannot be: on a user's own topic, and where
 * others would act on it again. What waited in a delay topic goes to the shortest: there it is read at once, and
 * waits for what is left of its time, not for all of it again.
 */
export function redriveTopic(name: string, reader: PoisonReader | undefined): TopicContract | undefined {
  // A deliverer does not know the header, and would send what it has sent. Its attempts bring the delivery into the history.
  if (name === DELIVERIES.name && reader === 'monitor') return undefined
  return WAITS.has(name) ? DELAYS['0s'] : READ_AGAIN.get(name)
}

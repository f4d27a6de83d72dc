import type { ConsumedRecord } from '@posthorn/kafka'
import type { HistoryEntry } from '@posthorn/store'
import {
  ATTEMPTS,
  DEAD_LETTERS,
  decodeAttempt,
  decodeDeadLetter,
  decodeDelivery,
  decodeEvent,
  decodePoison,
  DELIVERIES,
  EVENTS,
  POISON,
  poisonTenant,
  type TopicContract,
} from '@posthorn/topics'
import { PROBE_TENANT } from '@posthorn/webhook'

export type Reading =
  | { readonly kind: 'entry'; readonly entry: HistoryEntry }
  /** Nobody else would tell of it: it goes to poison. */
  | { readonly kind: 'undecodable'; readonly detail: string }
  /** Written by a newer version: not ours to judge. */
  | { readonly kind: 'newer'; readonly version: number }

type Reader = (record: ConsumedRecord, defaultTenant: string | undefined) => Reading

/** The router answers for bad events, the deliverer for bad deliveries, and bad poison would only make more of it. */
const NOTHING: Reading = { kind: 'entry', entry: { kind: 'nothing' } }

const readers = new Map<string, Reader>(
  (
    [
      [EVENTS, readEvent],
      [DELIVERIES, readDelivery],
      [ATTEMPTS, readAttempt],
      [DEAD_LETTERS, readDeadLetter],
      [POISON, readPoison],
    ] satisfies [TopicContract, Reader][]
  ).map(([topic, reader]) => [topic.name, reader]),
)

/** What a record of any of the topics means for the history. */
export function readEntry(record: ConsumedRecord, defaultTenant: string | undefined): Reading {
  const reader = readers.get(record.topic.name)
  if (!reader) throw new Error(`the history is not made of ${record.topic.name}`)
  const reading = reader(record, defaultTenant)
  return reading.kind === 'entry' && tenantOf(reading.entry) === PROBE_TENANT ? NOTHING : reading
}

/** Nobody's history has probes. */
function tenantOf(entry: HistoryEntry): string | undefined {
  switch (entry.kind) {
    case 'event':
      return entry.event.tenant
    case 'delivery':
      return entry.delivery.tenant
    case 'attempt':
    case 'dead-letter':
      return entry.attempt.tenant
    case 'poison':
      return entry.tenant
    case 'nothing':
      return undefined
  }
}

function readEvent(record: ConsumedRecord, defaultTenant: string | undefined): Reading {
  const read = decodeEvent(record, defaultTenant)
  return read.kind === 'bad'
    ? NOTHING
    : { kind: 'entry', entry: { kind: 'event', event: read.event, data: read.data, acceptedAt: record.timestamp } }
}

function readDelivery({ value }: ConsumedRecord): Reading {
  const read = decodeDelivery(value)
  switch (read.kind) {
    case 'delivery':
      return { kind: 'entry', entry: { kind: 'delivery', delivery: read.delivery } }
    case 'newer':
      return read
    case 'bad':
      return NOTHING
  }
}

function readAttempt({ value }: ConsumedRecord): Reading {
  const read = decodeAttempt(value)
  return read.kind === 'bad' ? undecodable(read) : { kind: 'entry', entry: { kind: 'attempt', attempt: read.attempt } }
}

function readDeadLetter({ value }: ConsumedRecord): Reading {
  const read = decodeDeadLetter(value)
  switch (read.kind) {
    case 'dead-letter':
      return { kind: 'entry', entry: { kind: 'dead-letter', attempt: read.lastAttempt } }
    case 'newer':
      return read
    case 'bad':
      return undecodable(read)
  }
}

function readPoison({ value }: ConsumedRecord, defaultTenant: string | undefined): Reading {
  const read = decodePoison(value)
  switch (read.kind) {
    case 'poison': {
      const { head, body } = read
      const tenant = poisonTenant(head, body, defaultTenant)
      return {
        kind: 'entry',
        entry: { kind: 'poison', head, value: body, ...(tenant === undefined ? {} : { tenant }) },
      }
    }
    case 'newer':
      return read
    case 'bad':
      return NOTHING
  }
}

function undecodable({ detail }: { readonly detail: string }): Reading {
  return { kind: 'undecodable', detail }
}

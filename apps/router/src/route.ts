import {
  BULK,
  decodeEvent,
  encodeDelivery,
  DELIVERIES,
  isForMonitorAlone,
  POISON,
  poisonRecord,
  redriveOf,
  type PoisonCause,
  type TopicContract,
  type TopicRecord,
} from '@posthorn/topics'
import type { ConsumedRecord } from '@posthorn/kafka'
import {
  deliveryId,
  isProbe,
  LIVE_RUN,
  orderOf,
  type Delivery,
  type Problem,
  type Webhook,
  type WebhookEvent,
} from '@posthorn/webhook'
import type { RouteTrace } from './route-trace.js'

/** Why a record cannot become deliveries. */
export interface Verdict extends PoisonCause {
  readonly kind: 'poison'
}

/** A webhook that takes an event, at the version that was matched. */
export interface Target {
  readonly webhook: string
  readonly version: number
  /** Absent: none. */
  readonly ordering?: Webhook['ordering']
  /** Why this version cannot tell whether the webhook wants the event: it is set aside for it. */
  readonly unreadable?: string
}

/** What routing needs of the producer. */
export interface Output {
  send(topic: TopicContract, record: TopicRecord): Promise<unknown>
  /** Resolves when less is queued than the bound. */
  room(): Promise<void>
}

export interface RouteParts {
  match(event: WebhookEvent, data: Uint8Array): readonly Target[]
  /** Whether the type of an event is not in the catalogue of a tenant that takes no others. */
  isRefusedType(event: WebhookEvent): boolean
  /** Why the schema of its type refuses an event; undefined when it may pass. */
  misfits(event: WebhookEvent, data: Uint8Array): readonly Problem[] | undefined
  /** Counts an event for its tenant; one above the tenant's quota is delivered after the others. */
  isOverQuota(tenant: string, acceptedAt: number): boolean
  readonly output: Output
  /** Undefined: an event without a tenant is poison. */
  readonly defaultTenant: string | undefined
  readonly maxEventBytes: number
  readonly trace: RouteTrace
}

/** What became of a record; its offset may be committed once `acknowledged` resolves. */
export interface Routed {
  readonly result: 'routed' | 'unmatched' | 'poison'
  readonly deliveries: number
  readonly acknowledged: Promise<unknown>
  /** It is none of a customer's, and not counted; absent: it is one. */
  readonly probe?: true
}

/**
 * One record of the events topic to its deliveries. Resolves when all of them are with the
 * producer, which is bounded in bytes: a fan-out waits here for its own output, so that memory
 * does not grow with the number of webhooks.
 */
export async function route(record: ConsumedRecord, parts: RouteParts): Promise<Routed> {
  if (isForMonitorAlone(record)) return UNMATCHED
  const read = decode(record, parts)
  if (read.kind === 'poison') return poison(record, read, parts.output)
  const topic = parts.isOverQuota(read.event.tenant, record.timestamp) ? BULK : DELIVERIES
  const targets = wanted(record, parts.match(read.event, read.data))
  const routed = targets.length === 0 ? UNMATCHED : await deliver(record, read, targets, topic, parts)
  return isProbe(read.event) ? { ...routed, probe: true } : routed
}

const UNMATCHED: Routed = { result: 'unmatched', deliveries: 0, acknowledged: Promise.resolve() }

/** An event that was set aside for one webhook, and comes again, has been routed to the others. */
function wanted(record: ConsumedRecord, targets: readonly Target[]): readonly Target[] {
  const only = redriveOf(record)?.webhook
  return only === undefined ? targets : targets.filter(({ webhook }) => webhook === only)
}

/** Hands a record over to the poison topic. */
export async function poison(record: ConsumedRecord, verdict: Verdict, output: Output): Promise<Routed> {
  await output.room()
  const { kind: _, ...cause } = verdict
  const acknowledged = output.send(POISON, poisonRecord(record, record.topic.name, cause))
  return { result: 'poison', deliveries: 0, acknowledged: observed(acknowledged) }
}

interface Decoded {
  readonly kind: 'event'
  readonly event: WebhookEvent
  readonly data: Buffer
}

const UNKNOWN_TYPE: Problem = {
  pointer: '/type',
  message: 'is not in the catalogue, and the tenant takes no other types',
}

function decode(record: ConsumedRecord, parts: RouteParts): Decoded | Verdict {
  const { defaultTenant, maxEventBytes, isRefusedType, misfits } = parts
  const read = decodeEvent(record, defaultTenant)
  if (read.kind === 'bad') return refuse(read.problems)
  if (read.data.length > maxEventBytes)
    return {
      kind: 'poison',
      reason: 'too_large',
      detail: `the data has ${read.data.length} bytes; at most ${maxEventBytes} are accepted (POSTHORN_INGEST_MAX_EVENT_BYTES)`,
      pointers: ['/data'],
    }
  if (isRefusedType(read.event)) return { kind: 'poison', reason: 'event_type_unknown', ...told([UNKNOWN_TYPE]) }
  const faults = misfits(read.event, read.data)
  return faults === undefined ? read : { kind: 'poison', reason: 'schema_mismatch', ...told(faults) }
}

/** A fault of the whole record means that no event could be read from it at all. */
function refuse(problems: readonly Problem[]): Verdict {
  const whole = problems.some(({ pointer }) => pointer === '' || pointer === '/content-type')
  return {
    kind: 'poison',
    reason: whole ? 'undecodable' : 'invalid_event',
    ...told(problems),
  }
}

function told(problems: readonly Problem[]): Pick<Verdict, 'detail' | 'pointers'> {
  return {
    detail: problems.map(({ pointer, message }) => (pointer === '' ? message : `${pointer} ${message}`)).join('; '),
    pointers: problems.map(({ pointer }) => pointer),
  }
}

async function deliver(
  record: ConsumedRecord,
  { event, data }: Decoded,
  targets: readonly Target[],
  topic: TopicContract,
  { output, trace }: RouteParts,
): Promise<Routed> {
  const span = trace.start(record, event, targets.length)
  const acknowledgements: Promise<unknown>[] = []
  let deliveries = 0
  for (const target of targets) {
    await output.room()
    if (target.unreadable === undefined) {
      deliveries++
      const delivery = deliveryOf(record, event, target, span.traceparent)
      // Behind the others of its key in another topic, it would be overtaken.
      const own = delivery.order === undefined ? topic : DELIVERIES
      acknowledgements.push(observed(output.send(own, encodeDelivery(delivery, data))))
    } else acknowledgements.push(observed(output.send(POISON, setAsideFor(record, target, target.unreadable))))
  }
  const acknowledged = observed(Promise.all(acknowledgements))
  acknowledged.then(span.end, span.fail)
  return { result: deliveries > 0 ? 'routed' : 'poison', deliveries, acknowledged }
}

function setAsideFor(record: ConsumedRecord, { webhook, version }: Target, why: string): TopicRecord {
  const detail = `${webhook} (version ${version}) may want this event, but this router cannot read its subscription: ${why}`
  return poisonRecord(record, record.topic.name, { reason: 'subscription_unreadable', detail, webhook })
}

function deliveryOf(
  record: ConsumedRecord,
  event: WebhookEvent,
  target: Target,
  traceparent: string | undefined,
): Delivery {
  const order = orderOf(target.ordering, event)
  return {
    id: deliveryId(event, target.webhook),
    webhook: target.webhook,
    webhookVersion: target.version,
    tenant: event.tenant,
    run: LIVE_RUN,
    attempt: 1,
    due: 0,
    acceptedAt: record.timestamp,
    origin: { partition: record.partition, offset: record.offset },
    spills: 0,
    ...(order === undefined ? {} : { order }),
    ...(traceparent === undefined ? {} : { traceparent }),
    event,
  }
}

/** A rejection is looked at later, when the offset is settled; until then it must not count as unhandled. */
function observed<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

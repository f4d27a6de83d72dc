import {
  ApiError,
  type Caller,
  type DeliveryView,
  type DeliveryWithAttemptsView,
  type EventQuery,
  type ExplanationView,
  type HistoryListQuery,
  type ListAttemptsQuery,
  type ListDeadLettersQuery,
  type ListDeliveriesQuery,
  type ListedAttemptView,
  type ListedEventView,
  type ListEventsQuery,
  type ListView,
} from '@posthorn/api'
import type { EventRecord, HistoryLists, HistoryQueries, Page, Webhooks } from '@posthorn/store'
import { OPENS_AFTER, type DeliveryStatus } from '@posthorn/webhook'
import { cursorOf, positionOf, type CursorShape } from './cursor.js'
import { explain } from './explain.js'
import type { TenantCases } from './tenants.js'
import { rangeOf } from './time-range.js'
import type { TraceLink } from './trace-link.js'
import { attemptView, deliveryView, listedAttemptView, listedEventView } from './views.js'

const EVENTS: CursorShape = { list: 'events', fields: { acceptedAt: 'time', id: 'text', source: 'text' } }
const DELIVERIES: CursorShape = { list: 'deliveries', fields: { acceptedAt: 'time', id: 'text' } }
const DEAD_LETTERS: CursorShape = { ...DELIVERIES, list: 'dead-letters' }
const ATTEMPTS: CursorShape = {
  list: 'attempts',
  fields: { startedAt: 'time', delivery: 'text', run: 'text', attempt: 'int4' },
}
/** Ids that Postgres would refuse to compare with. */
const UNSTORABLE = /[\0\p{Surrogate}]/u

/** An event with the bytes of its data, and how many of its deliveries stand at each status. */
export interface FoundEvent {
  readonly record: EventRecord
  readonly deliveries: Readonly<Record<DeliveryStatus, number>>
}

/** What happened: read from the history, which follows delivery by some moments. */
export class HistoryCases {
  constructor(
    private readonly history: HistoryQueries,
    private readonly lists: HistoryLists,
    private readonly tenants: Pick<TenantCases, 'require'>,
    private readonly webhooks: Pick<Webhooks, 'get'>,
    private readonly link: TraceLink | undefined,
  ) {}

  async event({ tenant }: Caller, id: string, { source }: EventQuery): Promise<FoundEvent> {
    await this.tenants.require(tenant)
    const record = UNSTORABLE.test(id) ? undefined : await this.history.event(tenant, id, source)
    if (!record) throw new ApiError('event_not_found', `The history has no event "${id.slice(0, 256)}".`)
    const { event } = record
    return { record, deliveries: await this.history.eventDeliveries(tenant, event.id, event.source) }
  }

  async delivery({ tenant }: Caller, id: string): Promise<DeliveryWithAttemptsView> {
    await this.tenants.require(tenant)
    const found = await this.found(tenant, id)
    return { ...deliveryView(found.delivery), attempts: found.attempts.map(row => attemptView(row, this.link)) }
  }

  /** Why it stands where it stands, and what to do. */
  async explanation(caller: Caller, id: string): Promise<ExplanationView> {
    const { tenant } = caller
    await this.tenants.require(tenant)
    const found = await this.found(tenant, id)
    const { delivery, attempts } = found
    const last = attempts.findLast(({ run }) => run === delivery.run)
    const webhook = await this.webhooks.get(tenant, delivery.webhook)
    const [behind, { rows: recent }] = await Promise.all([
      webhook && webhook.ordering !== 'none' ? this.history.before(delivery, webhook.ordering) : undefined,
      this.lists.attempts(tenant, { webhook: delivery.webhook, limit: OPENS_AFTER }),
    ])
    const { reason, because, advice } = explain({ delivery, last, webhook, behind, recent }, Date.now())
    const { webhook: of, status, next_attempt_at, attempts_made } = deliveryView(delivery)
    return {
      ...{ delivery: id, webhook: of, status, reason, because, advice, next_attempt_at, attempts_made },
      last_attempt: last ? attemptView(last, this.link) : null,
      behind: behind ?? null,
    }
  }

  private async found(tenant: string, id: string) {
    const found = UNSTORABLE.test(id) ? undefined : await this.history.delivery(tenant, id)
    if (!found) throw new ApiError('delivery_not_found', `The history has no delivery "${id.slice(0, 256)}".`)
    return found
  }

  async events({ tenant }: Caller, query: ListEventsQuery): Promise<ListView<ListedEventView>> {
    await this.tenants.require(tenant)
    return listed(EVENTS, await this.lists.events(tenant, filterOf(EVENTS, query)), listedEventView)
  }

  async deliveries({ tenant }: Caller, query: ListDeliveriesQuery): Promise<ListView<DeliveryView>> {
    await this.tenants.require(tenant)
    return listed(DELIVERIES, await this.lists.deliveries(tenant, filterOf(DELIVERIES, query)), deliveryView)
  }

  async deadLetters({ tenant }: Caller, query: ListDeadLettersQuery): Promise<ListView<DeliveryView>> {
    await this.tenants.require(tenant)
    return listed(DEAD_LETTERS, await this.lists.deadLetters(tenant, filterOf(DEAD_LETTERS, query)), deliveryView)
  }

  async attempts({ tenant }: Caller, query: ListAttemptsQuery): Promise<ListView<ListedAttemptView>> {
    await this.tenants.require(tenant)
    const page = await this.lists.attempts(tenant, filterOf(ATTEMPTS, query))
    return listed(ATTEMPTS, page, row => listedAttemptView(row, this.link))
  }
}

/** The query as the store takes it: times in ms, and the place where the page before ended. */
function filterOf<Q extends HistoryListQuery & { event_type?: string }, After>(
  shape: CursorShape,
  { cursor, from, to, event_type: type, ...filter }: Q,
): Omit<Q, 'cursor' | 'from' | 'to' | 'event_type'> & { from?: number; to?: number; type?: string; after?: After } {
  const after = positionOf(shape, cursor) as After | undefined
  return {
    ...filter,
    ...rangeOf(from, to),
    ...(type === undefined ? {} : { type }),
    ...(after === undefined ? {} : { after }),
  }
}

function listed<Row, View>(shape: CursorShape, page: Page<Row, object>, view: (row: Row) => View): ListView<View> {
  return { data: page.rows.map(view), next_cursor: page.after ? cursorOf(shape, { ...page.after }) : null }
}

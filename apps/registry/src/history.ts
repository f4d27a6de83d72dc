import {
  ApiError,
  type Caller,
  type DeliveryView,
  type DeliveryWithAttemptsView,
  type EventQuery,
  type ListDeliveriesQuery,
  type ListPoisonQuery,
  type ListView,
  type PoisonView,
} from '@posthorn/api'
import type { DeliveriesAfter, EventRecord, HistoryQueries, PoisonAfter } from '@posthorn/store'
import type { DeliveryStatus } from '@posthorn/webhook'
import { cursorOf, positionOf, type CursorShape } from './cursor.js'
import type { TenantCases } from './tenants.js'
import { attemptView, deliveryView, poisonView } from './views.js'

const DELIVERIES: CursorShape = { list: 'deliveries', fields: { acceptedAt: 'time', id: 'text' } }
const POISON: CursorShape = {
  list: 'poison',
  fields: { at: 'time', topic: 'text', partition: 'int4', offset: 'int8' },
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
    private readonly tenants: Pick<TenantCases, 'require'>,
  ) {}

  async event({ tenant }: Caller, id: string, { source }: EventQuery): Promise<FoundEvent> {
    await this.tenants.require(tenant)
    const record = UNSTORABLE.test(id) ? undefined : await this.history.event(tenant, id, source)
    if (!record) throw new ApiError('event_not_found', `The history has no event "${id.slice(0, 256)}".`)
    const { event } = record
    return { record, deliveries: await this.history.eventDeliveries(tenant, event.id, event.source) }
  }

  async deliveries({ tenant }: Caller, { cursor, ...filter }: ListDeliveriesQuery): Promise<ListView<DeliveryView>> {
    await this.tenants.require(tenant)
    const position = positionOf(DELIVERIES, cursor) as DeliveriesAfter | undefined
    const { rows, after } = await this.history.deliveries(tenant, { ...filter, after: position })
    return { data: rows.map(deliveryView), next_cursor: after ? cursorOf(DELIVERIES, { ...after }) : null }
  }

  async delivery({ tenant }: Caller, id: string): Promise<DeliveryWithAttemptsView> {
    await this.tenants.require(tenant)
    const found = UNSTORABLE.test(id) ? undefined : await this.history.delivery(tenant, id)
    if (!found) throw new ApiError('delivery_not_found', `The history has no delivery "${id.slice(0, 256)}".`)
    return { ...deliveryView(found.delivery), attempts: found.attempts.map(attemptView) }
  }

  /** Of the whole deployment: a record that could not be read has no tenant. */
  async poison(_caller: Caller, { cursor, limit }: ListPoisonQuery): Promise<ListView<PoisonView>> {
    const position = positionOf(POISON, cursor) as PoisonAfter | undefined
    const { rows, after } = await this.history.poison({ limit, after: position })
    return { data: rows.map(poisonView), next_cursor: after ? cursorOf(POISON, { ...after }) : null }
  }
}

import { Controller, Get, Header, Param } from '@nestjs/common'
import {
  ApiError,
  EventQuery,
  ListDeliveriesQuery,
  ListPoisonQuery,
  PlatformOnly,
  QueryOf,
  TenantName,
  type DeliveryView,
  type DeliveryWithAttemptsView,
  type ListView,
  type PoisonView,
} from '@posthorn/api'
import { HistoryQueries, type DeliveriesAfter, type PoisonAfter } from '@posthorn/store'
import { cursorOf, positionOf, type CursorShape } from './cursor.js'
import { TenantCases } from './tenants.js'
import { attemptView, deliveryView, eventJson, poisonView } from './views.js'

const DELIVERIES: CursorShape = { list: 'deliveries', fields: { acceptedAt: 'time', id: 'text' } }
const POISON: CursorShape = {
  list: 'poison',
  fields: { at: 'time', topic: 'text', partition: 'int4', offset: 'int8' },
}
/** Ids that Postgres would refuse to compare with. */
const UNSTORABLE = /[\0\p{Surrogate}]/u

/** What happened: read from the history, which follows delivery by some moments. */
@Controller('v1')
export class HistoryEdge {
  constructor(
    private readonly history: HistoryQueries,
    private readonly tenants: TenantCases,
  ) {}

  @Get('events/:id')
  @Header('content-type', 'application/json; charset=utf-8')
  async event(
    @TenantName() tenant: string,
    @Param('id') id: string,
    @QueryOf(EventQuery) { source }: EventQuery,
  ): Promise<string> {
    await this.tenants.require(tenant)
    const record = UNSTORABLE.test(id) ? undefined : await this.history.event(tenant, id, source)
    if (!record) throw new ApiError('event_not_found', `The history has no event "${id.slice(0, 256)}".`)
    return eventJson(record, await this.history.eventDeliveries(tenant, record.event.id, record.event.source))
  }

  @Get('deliveries')
  async deliveries(
    @TenantName() tenant: string,
    @QueryOf(ListDeliveriesQuery) { cursor, ...filter }: ListDeliveriesQuery,
  ): Promise<ListView<DeliveryView>> {
    await this.tenants.require(tenant)
    const position = positionOf(DELIVERIES, cursor) as DeliveriesAfter | undefined
    const { rows, after } = await this.history.deliveries(tenant, { ...filter, after: position })
    return { data: rows.map(deliveryView), next_cursor: after ? cursorOf(DELIVERIES, { ...after }) : null }
  }

  @Get('deliveries/:id')
  async delivery(@TenantName() tenant: string, @Param('id') id: string): Promise<DeliveryWithAttemptsView> {
    await this.tenants.require(tenant)
    const found = UNSTORABLE.test(id) ? undefined : await this.history.delivery(tenant, id)
    if (!found) throw new ApiError('delivery_not_found', `The history has no delivery "${id.slice(0, 256)}".`)
    return { ...deliveryView(found.delivery), attempts: found.attempts.map(attemptView) }
  }

  /** Of the whole deployment: a record that could not be read has no tenant. */
  @Get('poison')
  @PlatformOnly()
  async poison(@QueryOf(ListPoisonQuery) { cursor, limit }: ListPoisonQuery): Promise<ListView<PoisonView>> {
    const position = positionOf(POISON, cursor) as PoisonAfter | undefined
    const { rows, after } = await this.history.poison({ limit, after: position })
    return { data: rows.map(poisonView), next_cursor: after ? cursorOf(POISON, { ...after }) : null }
  }
}

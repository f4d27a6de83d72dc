import { Controller, Get, Header, Param } from '@nestjs/common'
import {
  Answers,
  AnswersList,
  CalledBy,
  DeliveryView,
  DeliveryWithAttemptsView,
  Does,
  EventQuery,
  EventView,
  ListDeliveriesQuery,
  ListPoisonQuery,
  PlatformOnly,
  PoisonView,
  QueryOf,
  type Caller,
  type ListView,
} from '@posthorn/api'
import { HistoryCases } from './history.js'
import { eventJson } from './views.js'

@Controller('v1')
export class HistoryEdge {
  constructor(private readonly history: HistoryCases) {}

  @Get('events/:id')
  @Does('Read an event')
  @Header('content-type', 'application/json; charset=utf-8')
  @Answers(200, EventView)
  async event(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(EventQuery) query: EventQuery,
  ): Promise<string> {
    const { record, deliveries } = await this.history.event(caller, id, query)
    return eventJson(record, deliveries)
  }

  @Get('deliveries')
  @Does('List deliveries')
  @AnswersList(DeliveryView)
  deliveries(
    @CalledBy() caller: Caller,
    @QueryOf(ListDeliveriesQuery) query: ListDeliveriesQuery,
  ): Promise<ListView<DeliveryView>> {
    return this.history.deliveries(caller, query)
  }

  @Get('deliveries/:id')
  @Does('Read a delivery and its attempts')
  @Answers(200, DeliveryWithAttemptsView)
  delivery(@CalledBy() caller: Caller, @Param('id') id: string): Promise<DeliveryWithAttemptsView> {
    return this.history.delivery(caller, id)
  }

  @Get('poison')
  @Does('List records that were not accepted')
  @PlatformOnly()
  @AnswersList(PoisonView)
  poison(@CalledBy() caller: Caller, @QueryOf(ListPoisonQuery) query: ListPoisonQuery): Promise<ListView<PoisonView>> {
    return this.history.poison(caller, query)
  }
}

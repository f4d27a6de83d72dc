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
  ExplanationView,
  ListAttemptsQuery,
  ListDeadLettersQuery,
  ListDeliveriesQuery,
  ListedAttemptView,
  ListedEventView,
  ListEventsQuery,
  QueryOf,
  StatsQuery,
  StatsView,
  type Caller,
  type ListView,
} from '@posthorn/api'
import { HistoryCases } from './history.js'
import { StatsCases } from './stats.js'
import { eventJson } from './views.js'

@Controller('v1')
export class HistoryEdge {
  constructor(
    private readonly history: HistoryCases,
    private readonly statistics: StatsCases,
  ) {}

  @Get('events')
  @Does('List events, without their data')
  @AnswersList(ListedEventView)
  events(
    @CalledBy() caller: Caller,
    @QueryOf(ListEventsQuery) query: ListEventsQuery,
  ): Promise<ListView<ListedEventView>> {
    return this.history.events(caller, query)
  }

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

  @Get('deliveries/:id/explanation')
  @Does('Say why a delivery stands where it stands')
  @Answers(200, ExplanationView)
  explanation(@CalledBy() caller: Caller, @Param('id') id: string): Promise<ExplanationView> {
    return this.history.explanation(caller, id)
  }

  @Get('dead-letters')
  @Does('List deliveries that ended without success')
  @AnswersList(DeliveryView)
  deadLetters(
    @CalledBy() caller: Caller,
    @QueryOf(ListDeadLettersQuery) query: ListDeadLettersQuery,
  ): Promise<ListView<DeliveryView>> {
    return this.history.deadLetters(caller, query)
  }

  @Get('attempts')
  @Does('List attempts')
  @AnswersList(ListedAttemptView)
  attempts(
    @CalledBy() caller: Caller,
    @QueryOf(ListAttemptsQuery) query: ListAttemptsQuery,
  ): Promise<ListView<ListedAttemptView>> {
    return this.history.attempts(caller, query)
  }

  @Get('stats')
  @Does('Count attempts over time')
  @Answers(200, StatsView)
  stats(@CalledBy() caller: Caller, @QueryOf(StatsQuery) query: StatsQuery): Promise<StatsView> {
    return this.statistics.stats(caller, query)
  }
}

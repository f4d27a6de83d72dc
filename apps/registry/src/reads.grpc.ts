import { GrpcMethod } from '@nestjs/microservices'
import {
  EventQuery,
  GrpcCalledBy,
  GrpcEdge,
  ListAttemptsQuery,
  ListAuditQuery,
  ListDeadLettersQuery,
  ListDeliveriesQuery,
  ListEventsQuery,
  Message,
  messageOf,
  MessageText,
  MessageWithout,
  Needs,
  StatsQuery,
  type Caller,
} from '@posthorn/api'
import { AuditCases } from './audit.js'
import { GrpcManners } from './grpc-manners.js'
import { HistoryCases } from './history.js'
import { StatsCases } from './stats.js'
import { eventView } from './views.js'

const HISTORY = 'HistoryService'

@GrpcEdge(GrpcManners)
export class ReadsGrpc {
  constructor(
    private readonly history: HistoryCases,
    private readonly statistics: StatsCases,
    private readonly audit: AuditCases,
  ) {}

  @GrpcMethod(HISTORY, 'ListEvents')
  async events(@GrpcCalledBy() caller: Caller, @Message(ListEventsQuery) query: ListEventsQuery): Promise<unknown> {
    return messageOf(await this.history.events(caller, query))
  }

  @GrpcMethod(HISTORY, 'GetEvent')
  async event(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageWithout(EventQuery, 'id') query: EventQuery,
  ): Promise<unknown> {
    const { record, deliveries } = await this.history.event(caller, id, query)
    return messageOf({ ...eventView(record, deliveries), data: record.data })
  }

  @GrpcMethod(HISTORY, 'ListDeliveries')
  async deliveries(
    @GrpcCalledBy() caller: Caller,
    @Message(ListDeliveriesQuery) query: ListDeliveriesQuery,
  ): Promise<unknown> {
    return messageOf(await this.history.deliveries(caller, query))
  }

  @GrpcMethod(HISTORY, 'GetDelivery')
  async delivery(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.history.delivery(caller, id))
  }

  @GrpcMethod(HISTORY, 'ExplainDelivery')
  @Needs('read')
  async explanation(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.history.explanation(caller, id))
  }

  @GrpcMethod(HISTORY, 'ListDeadLetters')
  async deadLetters(
    @GrpcCalledBy() caller: Caller,
    @Message(ListDeadLettersQuery) query: ListDeadLettersQuery,
  ): Promise<unknown> {
    return messageOf(await this.history.deadLetters(caller, query))
  }

  @GrpcMethod(HISTORY, 'ListAttempts')
  async attempts(
    @GrpcCalledBy() caller: Caller,
    @Message(ListAttemptsQuery) query: ListAttemptsQuery,
  ): Promise<unknown> {
    return messageOf(await this.history.attempts(caller, query))
  }

  @GrpcMethod(HISTORY, 'GetStats')
  async stats(@GrpcCalledBy() caller: Caller, @Message(StatsQuery) query: StatsQuery): Promise<unknown> {
    return messageOf(await this.statistics.stats(caller, query))
  }

  @GrpcMethod('AuditService', 'ListAudit')
  @Needs('admin')
  async list(@GrpcCalledBy() caller: Caller, @Message(ListAuditQuery) query: ListAuditQuery): Promise<unknown> {
    return messageOf(await this.audit.list(caller, query))
  }
}

import { GrpcMethod } from '@nestjs/microservices'
import {
  EventQuery,
  GrpcCalledBy,
  GrpcEdge,
  ListAuditQuery,
  ListDeliveriesQuery,
  ListPoisonQuery,
  Message,
  messageOf,
  MessageText,
  MessageWithout,
  Needs,
  PlatformOnly,
  type Caller,
} from '@posthorn/api'
import { AuditCases } from './audit.js'
import { GrpcManners } from './grpc-manners.js'
import { HistoryCases } from './history.js'
import { eventView } from './views.js'

const HISTORY = 'HistoryService'

@GrpcEdge(GrpcManners)
export class ReadsGrpc {
  constructor(
    private readonly history: HistoryCases,
    private readonly audit: AuditCases,
  ) {}

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

  @GrpcMethod(HISTORY, 'ListPoison')
  @PlatformOnly()
  async poison(@GrpcCalledBy() caller: Caller, @Message(ListPoisonQuery) query: ListPoisonQuery): Promise<unknown> {
    return messageOf(await this.history.poison(caller, query))
  }

  @GrpcMethod('AuditService', 'ListAudit')
  @Needs('admin')
  async list(@GrpcCalledBy() caller: Caller, @Message(ListAuditQuery) query: ListAuditQuery): Promise<unknown> {
    return messageOf(await this.audit.list(caller, query))
  }
}

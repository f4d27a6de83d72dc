import { GrpcMethod } from '@nestjs/microservices'
import {
  AlertScopesQuery,
  GrpcCalledBy,
  GrpcEdge,
  ListAlertsQuery,
  Message,
  MessageFields,
  messageOf,
  MessageText,
  type Caller,
} from '@posthorn/api'
import { AlertCases } from './alerts.js'
import { GrpcManners } from './grpc-manners.js'

const JSON_FIELDS = ['details']

@GrpcEdge(GrpcManners)
export class AlertsGrpc {
  constructor(private readonly alerts: AlertCases) {}

  @GrpcMethod('AlertService', 'ListAlerts')
  async list(@GrpcCalledBy() caller: Caller, @Message(ListAlertsQuery) query: ListAlertsQuery): Promise<unknown> {
    return messageOf(await this.alerts.list(caller, query), JSON_FIELDS)
  }

  @GrpcMethod('AlertService', 'GetAlert')
  async get(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageFields(AlertScopesQuery, ['scope']) query: AlertScopesQuery,
  ): Promise<unknown> {
    return messageOf(await this.alerts.get(caller, id, query), JSON_FIELDS)
  }
}

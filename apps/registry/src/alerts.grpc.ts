import { GrpcMethod } from '@nestjs/microservices'
import { GrpcCalledBy, GrpcEdge, ListAlertsQuery, Message, messageOf, type Caller } from '@posthorn/api'
import { AlertCases } from './alerts.js'
import { GrpcManners } from './grpc-manners.js'

@GrpcEdge(GrpcManners)
export class AlertsGrpc {
  constructor(private readonly alerts: AlertCases) {}

  @GrpcMethod('AlertService', 'ListAlerts')
  async list(@GrpcCalledBy() caller: Caller, @Message(ListAlertsQuery) query: ListAlertsQuery): Promise<unknown> {
    return messageOf(await this.alerts.list(caller, query))
  }
}

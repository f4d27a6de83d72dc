import { GrpcMethod } from '@nestjs/microservices'
import {
  AlertScopeQuery,
  CreateAlertChannelBody,
  GrpcCalledBy,
  GrpcEdge,
  MessageFields,
  messageOf,
  MessageText,
  PatchAlertChannelBody,
  type Caller,
} from '@posthorn/api'
import { AlertChannelCases } from './alert-channels.js'
import { ALERT_SERVICE, alertSettingsGrpc } from './alert-settings.grpc.js'
import { GrpcManners } from './grpc-manners.js'

const METHODS = {
  noun: 'AlertChannel',
  created: CreateAlertChannelBody,
  changed: { body: PatchAlertChannelBody, field: 'channel' },
}

@GrpcEdge(GrpcManners)
export class AlertChannelsGrpc extends alertSettingsGrpc(METHODS) {
  constructor(private readonly channels: AlertChannelCases) {
    super(channels)
  }

  @GrpcMethod(ALERT_SERVICE, 'TestAlertChannel')
  async test(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageFields(AlertScopeQuery, ['scope']) { scope }: AlertScopeQuery,
  ): Promise<unknown> {
    return messageOf(await this.channels.test(caller, id, scope))
  }
}

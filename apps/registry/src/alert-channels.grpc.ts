import { GrpcMethod } from '@nestjs/microservices'
import {
  AlertScopeQuery,
  CreateAlertChannelBody,
  GrpcCalledBy,
  GrpcEdge,
  IfVersion,
  ListAlertSettingsQuery,
  Message,
  MessageFields,
  messageOf,
  MessageText,
  PatchAlertChannelBody,
  PatchMessage,
  type Caller,
} from '@posthorn/api'
import { AlertChannelCases } from './alert-channels.js'
import { GrpcManners } from './grpc-manners.js'

const SERVICE = 'AlertService'

@GrpcEdge(GrpcManners)
export class AlertChannelsGrpc {
  constructor(private readonly channels: AlertChannelCases) {}

  @GrpcMethod(SERVICE, 'CreateAlertChannel')
  async create(
    @GrpcCalledBy() caller: Caller,
    @Message(CreateAlertChannelBody) body: CreateAlertChannelBody,
  ): Promise<unknown> {
    return messageOf(await this.channels.create(caller, body))
  }

  @GrpcMethod(SERVICE, 'ListAlertChannels')
  async list(
    @GrpcCalledBy() caller: Caller,
    @Message(ListAlertSettingsQuery) query: ListAlertSettingsQuery,
  ): Promise<unknown> {
    return messageOf(await this.channels.list(caller, query))
  }

  @GrpcMethod(SERVICE, 'GetAlertChannel')
  async get(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageFields(AlertScopeQuery, ['scope']) { scope }: AlertScopeQuery,
  ): Promise<unknown> {
    return messageOf(await this.channels.get(caller, id, scope))
  }

  @GrpcMethod(SERVICE, 'UpdateAlertChannel')
  async change(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageFields(AlertScopeQuery, ['scope']) { scope }: AlertScopeQuery,
    @PatchMessage(PatchAlertChannelBody, 'channel') body: PatchAlertChannelBody,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    return messageOf(await this.channels.change(caller, id, body, scope, version))
  }

  @GrpcMethod(SERVICE, 'TestAlertChannel')
  async test(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageFields(AlertScopeQuery, ['scope']) { scope }: AlertScopeQuery,
  ): Promise<unknown> {
    return messageOf(await this.channels.test(caller, id, scope))
  }

  @GrpcMethod(SERVICE, 'DeleteAlertChannel')
  async remove(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageFields(AlertScopeQuery, ['scope']) { scope }: AlertScopeQuery,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    await this.channels.remove(caller, id, scope, version)
    return {}
  }
}

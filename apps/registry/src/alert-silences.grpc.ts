import { GrpcMethod } from '@nestjs/microservices'
import {
  AlertScopeQuery,
  CreateAlertSilenceBody,
  GrpcCalledBy,
  GrpcEdge,
  IfVersion,
  ListAlertSettingsQuery,
  Message,
  MessageFields,
  messageOf,
  MessageText,
  type Caller,
} from '@posthorn/api'
import { AlertSilenceCases } from './alert-silences.js'
import { GrpcManners } from './grpc-manners.js'

const SERVICE = 'AlertService'

@GrpcEdge(GrpcManners)
export class AlertSilencesGrpc {
  constructor(private readonly silences: AlertSilenceCases) {}

  @GrpcMethod(SERVICE, 'CreateAlertSilence')
  async create(
    @GrpcCalledBy() caller: Caller,
    @Message(CreateAlertSilenceBody) body: CreateAlertSilenceBody,
  ): Promise<unknown> {
    return messageOf(await this.silences.create(caller, body))
  }

  @GrpcMethod(SERVICE, 'ListAlertSilences')
  async list(
    @GrpcCalledBy() caller: Caller,
    @Message(ListAlertSettingsQuery) query: ListAlertSettingsQuery,
  ): Promise<unknown> {
    return messageOf(await this.silences.list(caller, query))
  }

  @GrpcMethod(SERVICE, 'GetAlertSilence')
  async get(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageFields(AlertScopeQuery, ['scope']) { scope }: AlertScopeQuery,
  ): Promise<unknown> {
    return messageOf(await this.silences.get(caller, id, scope))
  }

  @GrpcMethod(SERVICE, 'DeleteAlertSilence')
  async remove(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageFields(AlertScopeQuery, ['scope']) { scope }: AlertScopeQuery,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    await this.silences.remove(caller, id, scope, version)
    return {}
  }
}

import { GrpcMethod } from '@nestjs/microservices'
import {
  AlertScopeQuery,
  CreateAlertRuleBody,
  GrpcCalledBy,
  GrpcEdge,
  IfVersion,
  ListAlertSettingsQuery,
  Message,
  MessageFields,
  messageOf,
  MessageText,
  PatchAlertRuleBody,
  PatchMessage,
  type Caller,
} from '@posthorn/api'
import { AlertRuleCases } from './alert-rules.js'
import { GrpcManners } from './grpc-manners.js'

const SERVICE = 'AlertService'

@GrpcEdge(GrpcManners)
export class AlertRulesGrpc {
  constructor(private readonly rules: AlertRuleCases) {}

  @GrpcMethod(SERVICE, 'CreateAlertRule')
  async create(
    @GrpcCalledBy() caller: Caller,
    @Message(CreateAlertRuleBody) body: CreateAlertRuleBody,
  ): Promise<unknown> {
    return messageOf(await this.rules.create(caller, body))
  }

  @GrpcMethod(SERVICE, 'ListAlertRules')
  async list(
    @GrpcCalledBy() caller: Caller,
    @Message(ListAlertSettingsQuery) query: ListAlertSettingsQuery,
  ): Promise<unknown> {
    return messageOf(await this.rules.list(caller, query))
  }

  @GrpcMethod(SERVICE, 'GetAlertRule')
  async get(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageFields(AlertScopeQuery, ['scope']) { scope }: AlertScopeQuery,
  ): Promise<unknown> {
    return messageOf(await this.rules.get(caller, id, scope))
  }

  @GrpcMethod(SERVICE, 'UpdateAlertRule')
  async change(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageFields(AlertScopeQuery, ['scope']) { scope }: AlertScopeQuery,
    @PatchMessage(PatchAlertRuleBody, 'rule') body: PatchAlertRuleBody,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    return messageOf(await this.rules.change(caller, id, body, scope, version))
  }

  @GrpcMethod(SERVICE, 'DeleteAlertRule')
  async remove(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageFields(AlertScopeQuery, ['scope']) { scope }: AlertScopeQuery,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    await this.rules.remove(caller, id, scope, version)
    return {}
  }
}

import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Res } from '@nestjs/common'
import {
  AlertRuleView,
  AlertScopeQuery,
  Answers,
  AnswersList,
  CalledBy,
  CreateAlertRuleBody,
  Does,
  IfMatch,
  JsonBody,
  ListAlertSettingsQuery,
  PatchAlertRuleBody,
  QueryOf,
  type Caller,
  type ListView,
} from '@posthorn/api'
import type { FastifyReply } from 'fastify'
import { AlertRuleCases } from './alert-rules.js'

@Controller('v1/alert-rules')
export class AlertRulesEdge {
  constructor(private readonly rules: AlertRuleCases) {}

  @Post()
  @Does('Make a rule for alerts')
  @HttpCode(201)
  @Answers(201, AlertRuleView)
  async create(
    @CalledBy() caller: Caller,
    @JsonBody(CreateAlertRuleBody) body: CreateAlertRuleBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AlertRuleView> {
    const created = await this.rules.create(caller, body)
    reply.header('location', `/v1/alert-rules/${created.id}`)
    return created
  }

  @Get()
  @Does('List rules for alerts')
  @AnswersList(AlertRuleView)
  list(
    @CalledBy() caller: Caller,
    @QueryOf(ListAlertSettingsQuery) query: ListAlertSettingsQuery,
  ): Promise<ListView<AlertRuleView>> {
    return this.rules.list(caller, query)
  }

  @Get(':id')
  @Does('Read a rule for alerts')
  @Answers(200, AlertRuleView)
  get(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(AlertScopeQuery) { scope }: AlertScopeQuery,
  ): Promise<AlertRuleView> {
    return this.rules.get(caller, id, scope)
  }

  @Patch(':id')
  @Does('Change a rule for alerts')
  @Answers(200, AlertRuleView)
  change(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(AlertScopeQuery) { scope }: AlertScopeQuery,
    @JsonBody(PatchAlertRuleBody, 'application/merge-patch+json') body: PatchAlertRuleBody,
    @IfMatch() version: number | undefined,
  ): Promise<AlertRuleView> {
    return this.rules.change(caller, id, body, scope, version)
  }

  @Delete(':id')
  @Does('Remove a rule, or undo what was changed of a built-in one')
  @HttpCode(204)
  @Answers(204)
  remove(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(AlertScopeQuery) { scope }: AlertScopeQuery,
    @IfMatch() version: number | undefined,
  ): Promise<void> {
    return this.rules.remove(caller, id, scope, version)
  }
}

import { Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common'
import {
  AlertScopeQuery,
  AlertSilenceView,
  Answers,
  AnswersList,
  CalledBy,
  CreateAlertSilenceBody,
  Does,
  IfMatch,
  JsonBody,
  ListAlertSettingsQuery,
  QueryOf,
  type Caller,
  type ListView,
} from '@posthorn/api'
import type { FastifyReply } from 'fastify'
import { AlertSilenceCases } from './alert-silences.js'

@Controller('v1/alert-silences')
export class AlertSilencesEdge {
  constructor(private readonly silences: AlertSilenceCases) {}

  @Post()
  @Does('Silence alerts for a time')
  @HttpCode(201)
  @Answers(201, AlertSilenceView)
  async create(
    @CalledBy() caller: Caller,
    @JsonBody(CreateAlertSilenceBody) body: CreateAlertSilenceBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AlertSilenceView> {
    const created = await this.silences.create(caller, body)
    reply.header('location', `/v1/alert-silences/${created.id}`)
    return created
  }

  @Get()
  @Does('List silences')
  @AnswersList(AlertSilenceView)
  list(
    @CalledBy() caller: Caller,
    @QueryOf(ListAlertSettingsQuery) query: ListAlertSettingsQuery,
  ): Promise<ListView<AlertSilenceView>> {
    return this.silences.list(caller, query)
  }

  @Get(':id')
  @Does('Read a silence')
  @Answers(200, AlertSilenceView)
  get(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(AlertScopeQuery) { scope }: AlertScopeQuery,
  ): Promise<AlertSilenceView> {
    return this.silences.get(caller, id, scope)
  }

  @Delete(':id')
  @Does('End a silence')
  @HttpCode(204)
  @Answers(204)
  remove(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(AlertScopeQuery) { scope }: AlertScopeQuery,
    @IfMatch() version: number | undefined,
  ): Promise<void> {
    return this.silences.remove(caller, id, scope, version)
  }
}

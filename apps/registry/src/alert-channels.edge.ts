import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Res } from '@nestjs/common'
import {
  AlertChannelTestView,
  AlertChannelView,
  AlertScopeQuery,
  Answers,
  AnswersList,
  CalledBy,
  CreateAlertChannelBody,
  Does,
  IfMatch,
  JsonBody,
  ListAlertSettingsQuery,
  PatchAlertChannelBody,
  QueryOf,
  type Caller,
  type ListView,
} from '@posthorn/api'
import type { FastifyReply } from 'fastify'
import { AlertChannelCases } from './alert-channels.js'

@Controller('v1/alert-channels')
export class AlertChannelsEdge {
  constructor(private readonly channels: AlertChannelCases) {}

  @Post()
  @Does('Have alerts told to a channel')
  @HttpCode(201)
  @Answers(201, AlertChannelView)
  async create(
    @CalledBy() caller: Caller,
    @JsonBody(CreateAlertChannelBody) body: CreateAlertChannelBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AlertChannelView> {
    const created = await this.channels.create(caller, body)
    reply.header('location', `/v1/alert-channels/${created.id}`)
    return created
  }

  @Get()
  @Does('List channels for alerts')
  @AnswersList(AlertChannelView)
  list(
    @CalledBy() caller: Caller,
    @QueryOf(ListAlertSettingsQuery) query: ListAlertSettingsQuery,
  ): Promise<ListView<AlertChannelView>> {
    return this.channels.list(caller, query)
  }

  @Get(':id')
  @Does('Read a channel for alerts')
  @Answers(200, AlertChannelView)
  get(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(AlertScopeQuery) { scope }: AlertScopeQuery,
  ): Promise<AlertChannelView> {
    return this.channels.get(caller, id, scope)
  }

  @Patch(':id')
  @Does('Change a channel for alerts')
  @Answers(200, AlertChannelView)
  change(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(AlertScopeQuery) { scope }: AlertScopeQuery,
    @JsonBody(PatchAlertChannelBody, 'application/merge-patch+json') body: PatchAlertChannelBody,
    @IfMatch() version: number | undefined,
  ): Promise<AlertChannelView> {
    return this.channels.change(caller, id, body, scope, version)
  }

  @Post(':id/test')
  @Does('Send a test to a channel for alerts')
  @HttpCode(200)
  @Answers(200, AlertChannelTestView)
  test(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(AlertScopeQuery) { scope }: AlertScopeQuery,
  ): Promise<AlertChannelTestView> {
    return this.channels.test(caller, id, scope)
  }

  @Delete(':id')
  @Does('Remove a channel for alerts')
  @HttpCode(204)
  @Answers(204)
  remove(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(AlertScopeQuery) { scope }: AlertScopeQuery,
    @IfMatch() version: number | undefined,
  ): Promise<void> {
    return this.channels.remove(caller, id, scope, version)
  }
}

import { Controller, Get, HttpCode, Param, ParseIntPipe, Patch, Post, Res } from '@nestjs/common'
import {
  AddedVersionView,
  AddVersionBody,
  Answers,
  AnswersList,
  CalledBy,
  CheckEventTypeBody,
  CreateEventTypeBody,
  Does,
  EventTypeCheckView,
  EventTypeDetailView,
  EventTypeQuery,
  EventTypeView,
  IfMatch,
  JsonBody,
  ListEventTypesQuery,
  ListVersionsQuery,
  Needs,
  OwnEventTypeQuery,
  PatchEventTypeBody,
  QueryOf,
  SchemaVersionSummaryView,
  SchemaVersionView,
  type Caller,
  type ListView,
} from '@posthorn/api'
import type { FastifyReply } from 'fastify'
import { EventTypeCases } from './event-types.js'

@Controller('v1/event-types')
export class EventTypesEdge {
  constructor(private readonly types: EventTypeCases) {}

  @Post()
  @Does('Register an event type')
  @HttpCode(201)
  @Answers(201, EventTypeDetailView)
  async create(
    @CalledBy() caller: Caller,
    @JsonBody(CreateEventTypeBody) body: CreateEventTypeBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EventTypeDetailView> {
    const created = await this.types.create(caller, body)
    reply.header('location', `/v1/event-types/${created.type}`)
    return created
  }

  @Get()
  @Does('List event types')
  @AnswersList(EventTypeView)
  list(
    @CalledBy() caller: Caller,
    @QueryOf(ListEventTypesQuery) query: ListEventTypesQuery,
  ): Promise<ListView<EventTypeView>> {
    return this.types.list(caller, query)
  }

  @Get(':type')
  @Does('Read an event type')
  @Answers(200, EventTypeDetailView)
  get(
    @CalledBy() caller: Caller,
    @Param('type') type: string,
    @QueryOf(EventTypeQuery) { scope }: EventTypeQuery,
  ): Promise<EventTypeDetailView> {
    return this.types.get(caller, type, scope)
  }

  @Patch(':type')
  @Does('Change an event type')
  @Answers(200, EventTypeDetailView)
  change(
    @CalledBy() caller: Caller,
    @Param('type') type: string,
    @QueryOf(OwnEventTypeQuery) { scope }: OwnEventTypeQuery,
    @IfMatch() version: number | undefined,
    @JsonBody(PatchEventTypeBody, 'application/merge-patch+json') body: PatchEventTypeBody,
  ): Promise<EventTypeDetailView> {
    return this.types.change(caller, type, scope, body, version)
  }

  @Post(':type/deprecate')
  @Does('Deprecate an event type')
  @HttpCode(200)
  @Answers(200, EventTypeDetailView)
  deprecate(
    @CalledBy() caller: Caller,
    @Param('type') type: string,
    @QueryOf(OwnEventTypeQuery) { scope }: OwnEventTypeQuery,
    @IfMatch() version: number | undefined,
  ): Promise<EventTypeDetailView> {
    return this.types.setStatus(caller, type, scope, 'deprecated', version)
  }

  @Post(':type/archive')
  @Does('Archive an event type')
  @HttpCode(200)
  @Answers(200, EventTypeDetailView)
  archive(
    @CalledBy() caller: Caller,
    @Param('type') type: string,
    @QueryOf(OwnEventTypeQuery) { scope }: OwnEventTypeQuery,
    @IfMatch() version: number | undefined,
  ): Promise<EventTypeDetailView> {
    return this.types.setStatus(caller, type, scope, 'archived', version)
  }

  @Post(':type/restore')
  @Does('Make an event type active again')
  @HttpCode(200)
  @Answers(200, EventTypeDetailView)
  restore(
    @CalledBy() caller: Caller,
    @Param('type') type: string,
    @QueryOf(OwnEventTypeQuery) { scope }: OwnEventTypeQuery,
    @IfMatch() version: number | undefined,
  ): Promise<EventTypeDetailView> {
    return this.types.setStatus(caller, type, scope, 'active', version)
  }

  @Post(':type/versions')
  @Does('Add a version of the schema')
  @HttpCode(201)
  @Answers(201, AddedVersionView)
  async addVersion(
    @CalledBy() caller: Caller,
    @Param('type') type: string,
    @QueryOf(OwnEventTypeQuery) { scope }: OwnEventTypeQuery,
    @IfMatch() version: number | undefined,
    @JsonBody(AddVersionBody) body: AddVersionBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AddedVersionView> {
    const added = await this.types.addVersion(caller, type, scope, body, version)
    reply.header('location', `/v1/event-types/${type}/versions/${added.number}`)
    return added
  }

  @Get(':type/versions')
  @Does('List the versions of the schema')
  @AnswersList(SchemaVersionSummaryView)
  versions(
    @CalledBy() caller: Caller,
    @Param('type') type: string,
    @QueryOf(ListVersionsQuery) query: ListVersionsQuery,
  ): Promise<ListView<SchemaVersionSummaryView>> {
    return this.types.versions(caller, type, query)
  }

  @Get(':type/versions/:number')
  @Does('Read a version of the schema')
  @Answers(200, SchemaVersionView)
  version(
    @CalledBy() caller: Caller,
    @Param('type') type: string,
    @Param('number', ParseIntPipe) number: number,
    @QueryOf(EventTypeQuery) { scope }: EventTypeQuery,
  ): Promise<SchemaVersionView> {
    return this.types.version(caller, type, number, scope)
  }

  @Post(':type/check')
  @Does('Check data, or a new schema, against an event type')
  @HttpCode(200)
  @Needs('read')
  @Answers(200, EventTypeCheckView)
  check(
    @CalledBy() caller: Caller,
    @Param('type') type: string,
    @QueryOf(EventTypeQuery) { scope }: EventTypeQuery,
    @JsonBody(CheckEventTypeBody) body: CheckEventTypeBody,
  ): Promise<EventTypeCheckView> {
    return this.types.check(caller, type, scope, body)
  }
}

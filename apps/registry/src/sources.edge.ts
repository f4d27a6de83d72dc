import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Res } from '@nestjs/common'
import {
  Answers,
  AnswersList,
  CalledBy,
  CreateSourceBody,
  Does,
  IfMatch,
  JsonBody,
  ListQuery,
  PatchSourceBody,
  PlatformOnly,
  QueryOf,
  SourceDetailView,
  SourceView,
  type Caller,
  type ListView,
} from '@posthorn/api'
import type { FastifyReply } from 'fastify'
import { SourceCases } from './sources.js'

/** Topics of the user's own. A source may name the tenant of each of its records: hence for the platform alone. */
@Controller('v1/sources')
@PlatformOnly()
export class SourcesEdge {
  constructor(private readonly sources: SourceCases) {}

  @Post()
  @Does('Connect topics of your own')
  @HttpCode(201)
  @Answers(201, SourceView)
  async create(
    @CalledBy() caller: Caller,
    @JsonBody(CreateSourceBody) body: CreateSourceBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SourceView> {
    const created = await this.sources.create(caller, body)
    reply.header('location', `/v1/sources/${created.id}`)
    return created
  }

  @Get()
  @Does('List sources')
  @AnswersList(SourceView)
  list(@CalledBy() caller: Caller, @QueryOf(ListQuery) query: ListQuery): Promise<ListView<SourceView>> {
    return this.sources.list(caller, query)
  }

  @Get(':id')
  @Does('Read a source and how far it is')
  @Answers(200, SourceDetailView)
  get(@CalledBy() caller: Caller, @Param('id') id: string): Promise<SourceDetailView> {
    return this.sources.get(caller, id)
  }

  @Patch(':id')
  @Does('Change a source')
  @Answers(200, SourceView)
  change(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @JsonBody(PatchSourceBody, 'application/merge-patch+json') body: PatchSourceBody,
    @IfMatch() version: number | undefined,
  ): Promise<SourceView> {
    return this.sources.change(caller, id, body, version)
  }

  @Delete(':id')
  @Does('Remove a source')
  @HttpCode(204)
  @Answers(204)
  async remove(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @IfMatch() version: number | undefined,
  ): Promise<void> {
    await this.sources.remove(caller, id, version)
  }
}

import { Controller, Get, HttpCode, Param, Patch, Post, Res } from '@nestjs/common'
import {
  Answers,
  AnswersList,
  CalledBy,
  CreateReplayBody,
  Does,
  JsonBody,
  ListReplaysQuery,
  PatchReplayBody,
  QueryOf,
  ReplayView,
  type Caller,
  type ListView,
} from '@posthorn/api'
import type { FastifyReply } from 'fastify'
import { ReplayCases } from './replays.js'

@Controller('v1/replays')
export class ReplaysEdge {
  constructor(private readonly replays: ReplayCases) {}

  @Post()
  @Does('Send deliveries again')
  @HttpCode(201)
  @Answers(201, ReplayView)
  async create(
    @CalledBy() caller: Caller,
    @JsonBody(CreateReplayBody) body: CreateReplayBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReplayView> {
    const created = await this.replays.create(caller, body)
    reply.header('location', `/v1/replays/${created.id}`)
    return created
  }

  @Get()
  @Does('List replays')
  @AnswersList(ReplayView)
  list(@CalledBy() caller: Caller, @QueryOf(ListReplaysQuery) query: ListReplaysQuery): Promise<ListView<ReplayView>> {
    return this.replays.list(caller, query)
  }

  @Get(':id')
  @Does('Read a replay and how far it is')
  @Answers(200, ReplayView)
  get(@CalledBy() caller: Caller, @Param('id') id: string): Promise<ReplayView> {
    return this.replays.get(caller, id)
  }

  @Patch(':id')
  @Does('Change the rate of a replay')
  @Answers(200, ReplayView)
  change(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @JsonBody(PatchReplayBody, 'application/merge-patch+json') body: PatchReplayBody,
  ): Promise<ReplayView> {
    return this.replays.change(caller, id, body)
  }

  @Post(':id/pause')
  @Does('Pause a replay')
  @HttpCode(200)
  @Answers(200, ReplayView)
  pause(@CalledBy() caller: Caller, @Param('id') id: string): Promise<ReplayView> {
    return this.replays.pause(caller, id)
  }

  @Post(':id/resume')
  @Does('Go on with a replay')
  @HttpCode(200)
  @Answers(200, ReplayView)
  resume(@CalledBy() caller: Caller, @Param('id') id: string): Promise<ReplayView> {
    return this.replays.resume(caller, id)
  }

  @Post(':id/cancel')
  @Does('End a replay')
  @HttpCode(200)
  @Answers(200, ReplayView)
  cancel(@CalledBy() caller: Caller, @Param('id') id: string): Promise<ReplayView> {
    return this.replays.cancel(caller, id)
  }
}

import { GrpcMethod } from '@nestjs/microservices'
import {
  CreateReplayBody,
  GrpcCalledBy,
  GrpcEdge,
  ListReplaysQuery,
  Message,
  messageOf,
  MessageText,
  MessageWithout,
  PatchReplayBody,
  type Caller,
} from '@posthorn/api'
import { GrpcManners } from './grpc-manners.js'
import { ReplayCases } from './replays.js'

const SERVICE = 'ReplayService'

@GrpcEdge(GrpcManners)
export class ReplaysGrpc {
  constructor(private readonly replays: ReplayCases) {}

  @GrpcMethod(SERVICE, 'CreateReplay')
  async create(
    @GrpcCalledBy() caller: Caller,
    @Message(CreateReplayBody, 'replay') body: CreateReplayBody,
  ): Promise<unknown> {
    return messageOf(await this.replays.create(caller, body))
  }

  @GrpcMethod(SERVICE, 'ListReplays')
  async list(@GrpcCalledBy() caller: Caller, @Message(ListReplaysQuery) query: ListReplaysQuery): Promise<unknown> {
    return messageOf(await this.replays.list(caller, query))
  }

  @GrpcMethod(SERVICE, 'GetReplay')
  async get(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.replays.get(caller, id))
  }

  @GrpcMethod(SERVICE, 'UpdateReplay')
  async change(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageWithout(PatchReplayBody, 'id') body: PatchReplayBody,
  ): Promise<unknown> {
    return messageOf(await this.replays.change(caller, id, body))
  }

  @GrpcMethod(SERVICE, 'PauseReplay')
  async pause(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.replays.pause(caller, id))
  }

  @GrpcMethod(SERVICE, 'ResumeReplay')
  async resume(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.replays.resume(caller, id))
  }

  @GrpcMethod(SERVICE, 'CancelReplay')
  async cancel(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.replays.cancel(caller, id))
  }
}

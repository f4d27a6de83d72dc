import { GrpcMethod } from '@nestjs/microservices'
import {
  CreateSourceBody,
  GrpcCalledBy,
  GrpcEdge,
  IfVersion,
  ListQuery,
  Message,
  messageOf,
  MessageText,
  PatchMessage,
  PatchSourceBody,
  PlatformOnly,
  type Caller,
  type JsonFields,
} from '@posthorn/api'
import { GrpcManners } from './grpc-manners.js'
import { SourceCases } from './sources.js'

const SERVICE = 'SourceService'
const JSON_FIELDS: JsonFields = { event: 'struct' }
const answer = (view: object) => messageOf(view, Object.keys(JSON_FIELDS))

@GrpcEdge(GrpcManners)
@PlatformOnly()
export class SourcesGrpc {
  constructor(private readonly sources: SourceCases) {}

  @GrpcMethod(SERVICE, 'CreateSource')
  async create(
    @GrpcCalledBy() caller: Caller,
    @Message(CreateSourceBody, 'source', JSON_FIELDS) body: CreateSourceBody,
  ): Promise<unknown> {
    return answer(await this.sources.create(caller, body))
  }

  @GrpcMethod(SERVICE, 'ListSources')
  async list(@GrpcCalledBy() caller: Caller, @Message(ListQuery) query: ListQuery): Promise<unknown> {
    return answer(await this.sources.list(caller, query))
  }

  @GrpcMethod(SERVICE, 'GetSource')
  async get(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return answer(await this.sources.get(caller, id))
  }

  @GrpcMethod(SERVICE, 'UpdateSource')
  async change(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @PatchMessage(PatchSourceBody, 'source', JSON_FIELDS) body: PatchSourceBody,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    return answer(await this.sources.change(caller, id, body, version))
  }

  @GrpcMethod(SERVICE, 'DeleteSource')
  async remove(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    await this.sources.remove(caller, id, version)
    return {}
  }
}

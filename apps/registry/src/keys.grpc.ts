import { GrpcMethod } from '@nestjs/microservices'
import {
  CreateKeyBody,
  GrpcCalledBy,
  GrpcEdge,
  IfVersion,
  KeyScopeQuery,
  ListKeysQuery,
  Message,
  MessageFields,
  messageOf,
  MessageText,
  MessageWithout,
  Needs,
  PatchKeyBody,
  PatchMessage,
  RotateKeyBody,
  type Caller,
} from '@posthorn/api'
import { GrpcManners } from './grpc-manners.js'
import { KeyCases } from './keys.js'

const SERVICE = 'KeyService'

@GrpcEdge(GrpcManners)
@Needs('admin')
export class KeysGrpc {
  constructor(private readonly keys: KeyCases) {}

  @GrpcMethod(SERVICE, 'CreateKey')
  async create(@GrpcCalledBy() caller: Caller, @Message(CreateKeyBody) body: CreateKeyBody): Promise<unknown> {
    return messageOf(await this.keys.create(caller, body))
  }

  @GrpcMethod(SERVICE, 'ListKeys')
  async list(@GrpcCalledBy() caller: Caller, @Message(ListKeysQuery) query: ListKeysQuery): Promise<unknown> {
    return messageOf(await this.keys.list(caller, query))
  }

  @GrpcMethod(SERVICE, 'GetKey')
  async get(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageWithout(KeyScopeQuery, 'id') { scope }: KeyScopeQuery,
  ): Promise<unknown> {
    return messageOf(await this.keys.get(caller, id, scope))
  }

  @GrpcMethod(SERVICE, 'UpdateKey')
  async change(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageFields(KeyScopeQuery, ['scope']) { scope }: KeyScopeQuery,
    @PatchMessage(PatchKeyBody, 'key') body: PatchKeyBody,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    return messageOf(await this.keys.change(caller, id, body, scope, version))
  }

  @GrpcMethod(SERVICE, 'RotateKey')
  async rotate(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageFields(KeyScopeQuery, ['scope']) { scope }: KeyScopeQuery,
    @MessageFields(RotateKeyBody, ['secret']) body: RotateKeyBody,
  ): Promise<unknown> {
    return messageOf(await this.keys.rotate(caller, id, body, scope))
  }

  @GrpcMethod(SERVICE, 'DeleteKey')
  async remove(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageWithout(KeyScopeQuery, 'id') { scope }: KeyScopeQuery,
  ): Promise<unknown> {
    await this.keys.remove(caller, id, scope)
    return {}
  }
}

import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Res } from '@nestjs/common'
import {
  Answers,
  AnswersList,
  CalledBy,
  CreatedKeyView,
  CreateKeyBody,
  Does,
  IfMatch,
  JsonBody,
  KeyScopeQuery,
  KeyView,
  ListKeysQuery,
  Needs,
  OptionalJsonBody,
  PatchKeyBody,
  QueryOf,
  RotateKeyBody,
  type Caller,
  type ListView,
} from '@posthorn/api'
import type { FastifyReply } from 'fastify'
import { KeyCases } from './keys.js'

/** Also reading them is for admins: which keys there are, and from where they may be used, is nobody else's business. */
@Controller('v1/keys')
@Needs('admin')
export class KeysEdge {
  constructor(private readonly keys: KeyCases) {}

  @Post()
  @Does('Make an API key')
  @HttpCode(201)
  @Answers(201, CreatedKeyView)
  async create(
    @CalledBy() caller: Caller,
    @JsonBody(CreateKeyBody) body: CreateKeyBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CreatedKeyView> {
    const created = await this.keys.create(caller, body)
    reply.header('location', `/v1/keys/${created.id}`)
    return created
  }

  @Get()
  @Does('List API keys')
  @AnswersList(KeyView)
  list(@CalledBy() caller: Caller, @QueryOf(ListKeysQuery) query: ListKeysQuery): Promise<ListView<KeyView>> {
    return this.keys.list(caller, query)
  }

  @Get(':id')
  @Does('Read an API key')
  @Answers(200, KeyView)
  get(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(KeyScopeQuery) { scope }: KeyScopeQuery,
  ): Promise<KeyView> {
    return this.keys.get(caller, id, scope)
  }

  @Patch(':id')
  @Does('Change the name, the addresses or the end of an API key')
  @Answers(200, KeyView)
  change(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(KeyScopeQuery) { scope }: KeyScopeQuery,
    @JsonBody(PatchKeyBody, 'application/merge-patch+json') body: PatchKeyBody,
    @IfMatch() version: number | undefined,
  ): Promise<KeyView> {
    return this.keys.change(caller, id, body, scope, version)
  }

  @Post(':id/rotate')
  @Does('Give an API key another secret')
  @HttpCode(200)
  @Answers(200, CreatedKeyView)
  rotate(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(KeyScopeQuery) { scope }: KeyScopeQuery,
    @OptionalJsonBody(RotateKeyBody) body: RotateKeyBody,
  ): Promise<CreatedKeyView> {
    return this.keys.rotate(caller, id, body, scope)
  }

  @Delete(':id')
  @Does('End an API key')
  @HttpCode(204)
  @Answers(204)
  remove(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(KeyScopeQuery) { scope }: KeyScopeQuery,
  ): Promise<void> {
    return this.keys.remove(caller, id, scope)
  }
}

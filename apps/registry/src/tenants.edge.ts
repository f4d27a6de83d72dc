import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Res } from '@nestjs/common'
import {
  Answers,
  AnswersList,
  CalledBy,
  CreateTenantBody,
  Does,
  IfMatch,
  JsonBody,
  ListTenantsQuery,
  PatchTenantBody,
  PlatformOnly,
  QueryOf,
  TenantView,
  type Caller,
  type ListView,
} from '@posthorn/api'
import type { FastifyReply } from 'fastify'
import { TenantCases } from './tenants.js'

@Controller('v1/tenants')
@PlatformOnly()
export class TenantsEdge {
  constructor(private readonly tenants: TenantCases) {}

  @Post()
  @Does('Create a tenant')
  @HttpCode(201)
  @Answers(201, TenantView)
  async create(
    @CalledBy() caller: Caller,
    @JsonBody(CreateTenantBody) body: CreateTenantBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TenantView> {
    const created = await this.tenants.create(caller, body)
    reply.header('location', `/v1/tenants/${created.id}`)
    return created
  }

  @Get()
  @Does('List tenants')
  @AnswersList(TenantView)
  list(@CalledBy() caller: Caller, @QueryOf(ListTenantsQuery) query: ListTenantsQuery): Promise<ListView<TenantView>> {
    return this.tenants.list(caller, query)
  }

  @Get(':id')
  @Does('Read a tenant')
  @Answers(200, TenantView)
  get(@CalledBy() caller: Caller, @Param('id') id: string): Promise<TenantView> {
    return this.tenants.get(caller, id)
  }

  @Patch(':id')
  @Does('Change a tenant')
  @Answers(200, TenantView)
  change(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @JsonBody(PatchTenantBody, 'application/merge-patch+json') body: PatchTenantBody,
    @IfMatch() version: number | undefined,
  ): Promise<TenantView> {
    return this.tenants.change(caller, id, body, version)
  }

  /** Answered at once; what the tenant had is removed in the background. */
  @Delete(':id')
  @Does('Delete a tenant and all it has')
  @HttpCode(202)
  @Answers(202, TenantView)
  remove(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @IfMatch() version: number | undefined,
  ): Promise<TenantView> {
    return this.tenants.remove(caller, id, version)
  }
}

import { GrpcMethod } from '@nestjs/microservices'
import {
  CreateTenantBody,
  GrpcCalledBy,
  GrpcEdge,
  IfVersion,
  ListTenantsQuery,
  Message,
  messageOf,
  MessageText,
  PatchMessage,
  PatchTenantBody,
  PlatformOnly,
  type Caller,
} from '@posthorn/api'
import { GrpcManners } from './grpc-manners.js'
import { TenantCases } from './tenants.js'

const SERVICE = 'TenantService'

@GrpcEdge(GrpcManners)
@PlatformOnly()
export class TenantsGrpc {
  constructor(private readonly tenants: TenantCases) {}

  @GrpcMethod(SERVICE, 'CreateTenant')
  async create(
    @GrpcCalledBy() caller: Caller,
    @Message(CreateTenantBody, 'tenant') body: CreateTenantBody,
  ): Promise<unknown> {
    return messageOf(await this.tenants.create(caller, body))
  }

  @GrpcMethod(SERVICE, 'ListTenants')
  async list(@GrpcCalledBy() caller: Caller, @Message(ListTenantsQuery) query: ListTenantsQuery): Promise<unknown> {
    return messageOf(await this.tenants.list(caller, query))
  }

  @GrpcMethod(SERVICE, 'GetTenant')
  async get(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.tenants.get(caller, id))
  }

  @GrpcMethod(SERVICE, 'UpdateTenant')
  async change(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @PatchMessage(PatchTenantBody, 'tenant') body: PatchTenantBody,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    return messageOf(await this.tenants.change(caller, id, body, version))
  }

  @GrpcMethod(SERVICE, 'DeleteTenant')
  async remove(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    return messageOf(await this.tenants.remove(caller, id, version))
  }
}

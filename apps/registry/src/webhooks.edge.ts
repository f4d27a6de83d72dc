import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Res } from '@nestjs/common'
import {
  CreateWebhookBody,
  JsonBody,
  ListWebhooksQuery,
  PatchWebhookBody,
  QueryOf,
  TenantName,
  type CreatedWebhookView,
  type ListView,
  type WebhookView,
} from '@posthorn/api'
import type { FastifyReply } from 'fastify'
import { Registration } from './registration.js'

@Controller('v1/webhooks')
export class WebhooksEdge {
  constructor(private readonly registration: Registration) {}

  @Post()
  @HttpCode(201)
  async create(
    @TenantName() tenant: string,
    @JsonBody(CreateWebhookBody) body: CreateWebhookBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CreatedWebhookView> {
    const created = await this.registration.create(tenant, body)
    reply.header('location', `/v1/webhooks/${created.id}`)
    return created
  }

  @Get()
  list(
    @TenantName() tenant: string,
    @QueryOf(ListWebhooksQuery) query: ListWebhooksQuery,
  ): Promise<ListView<WebhookView>> {
    return this.registration.list(tenant, query)
  }

  @Get(':id')
  get(@TenantName() tenant: string, @Param('id') id: string): Promise<WebhookView> {
    return this.registration.get(tenant, id)
  }

  @Patch(':id')
  change(
    @TenantName() tenant: string,
    @Param('id') id: string,
    @JsonBody(PatchWebhookBody, 'application/merge-patch+json') body: PatchWebhookBody,
  ): Promise<WebhookView> {
    return this.registration.change(tenant, id, body)
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@TenantName() tenant: string, @Param('id') id: string): Promise<void> {
    await this.registration.remove(tenant, id)
  }
}

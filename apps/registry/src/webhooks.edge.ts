import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Put, Res } from '@nestjs/common'
import {
  Answers,
  AnswersList,
  CalledBy,
  CreatedWebhookView,
  CreateWebhookBody,
  Does,
  IfMatch,
  JsonBody,
  ListWebhooksQuery,
  Needs,
  OptionalJsonBody,
  PatchWebhookBody,
  QueryOf,
  RevealedSecretView,
  RotateSecretBody,
  SecretView,
  TestView,
  TestWebhookBody,
  WebhookView,
  type Caller,
  type ListView,
} from '@posthorn/api'
import type { FastifyReply } from 'fastify'
import { WebhookOwnership } from './webhook-ownership.js'
import { WebhookSecrets } from './webhook-secrets.js'
import { WebhookTest } from './webhook-test.js'
import { WebhookCases } from './webhooks.js'

@Controller('v1/webhooks')
export class WebhooksEdge {
  constructor(
    private readonly webhooks: WebhookCases,
    private readonly secrets: WebhookSecrets,
    private readonly sample: WebhookTest,
    private readonly ownership: WebhookOwnership,
  ) {}

  @Post()
  @Does('Create a webhook')
  @HttpCode(201)
  @Answers(201, CreatedWebhookView)
  async create(
    @CalledBy() caller: Caller,
    @JsonBody(CreateWebhookBody) body: CreateWebhookBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CreatedWebhookView> {
    const created = await this.webhooks.create(caller, body)
    reply.header('location', `/v1/webhooks/${created.id}`)
    return created
  }

  @Get()
  @Does('List webhooks')
  @AnswersList(WebhookView)
  list(
    @CalledBy() caller: Caller,
    @QueryOf(ListWebhooksQuery) query: ListWebhooksQuery,
  ): Promise<ListView<WebhookView>> {
    return this.webhooks.list(caller, query)
  }

  @Get('by-uid/:uid')
  @Does('Read a webhook by its uid')
  @Answers(200, WebhookView)
  byUid(@CalledBy() caller: Caller, @Param('uid') uid: string): Promise<WebhookView> {
    return this.webhooks.byUid(caller, uid)
  }

  @Put('by-uid/:uid')
  @Does('Create or replace a webhook by its uid')
  @Answers(200, WebhookView)
  @Answers(201, CreatedWebhookView)
  async upsert(
    @CalledBy() caller: Caller,
    @Param('uid') uid: string,
    @JsonBody(CreateWebhookBody) body: CreateWebhookBody,
    @IfMatch() version: number | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WebhookView> {
    const { kind, webhook } = await this.webhooks.upsert(caller, uid, body, version)
    reply.code(kind === 'created' ? 201 : 200)
    return webhook
  }

  @Get(':id')
  @Does('Read a webhook')
  @Answers(200, WebhookView)
  get(@CalledBy() caller: Caller, @Param('id') id: string): Promise<WebhookView> {
    return this.webhooks.get(caller, id)
  }

  @Patch(':id')
  @Does('Change a webhook')
  @Answers(200, WebhookView)
  change(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @JsonBody(PatchWebhookBody, 'application/merge-patch+json') body: PatchWebhookBody,
    @IfMatch() version: number | undefined,
  ): Promise<WebhookView> {
    return this.webhooks.change(caller, id, body, version)
  }

  @Delete(':id')
  @Does('Delete a webhook')
  @HttpCode(204)
  @Answers(204)
  remove(@CalledBy() caller: Caller, @Param('id') id: string, @IfMatch() version: number | undefined): Promise<void> {
    return this.webhooks.remove(caller, id, version)
  }

  @Post(':id/disable')
  @Does('Disable a webhook')
  @HttpCode(200)
  @Answers(200, WebhookView)
  disable(@CalledBy() caller: Caller, @Param('id') id: string): Promise<WebhookView> {
    return this.webhooks.disable(caller, id)
  }

  @Post(':id/enable')
  @Does('Enable a webhook')
  @HttpCode(200)
  @Answers(200, WebhookView)
  enable(@CalledBy() caller: Caller, @Param('id') id: string): Promise<WebhookView> {
    return this.webhooks.enable(caller, id)
  }

  @Post(':id/pause')
  @Does('Pause a webhook: what it would get is kept until it is resumed')
  @HttpCode(200)
  @Answers(200, WebhookView)
  pause(@CalledBy() caller: Caller, @Param('id') id: string): Promise<WebhookView> {
    return this.webhooks.pause(caller, id)
  }

  @Post(':id/resume')
  @Does('Resume a paused webhook')
  @HttpCode(200)
  @Answers(200, WebhookView)
  resume(@CalledBy() caller: Caller, @Param('id') id: string): Promise<WebhookView> {
    return this.webhooks.resume(caller, id)
  }

  @Post(':id/verify')
  @Does('Ask the receiver of a webhook for its consent')
  @HttpCode(200)
  @Answers(200, WebhookView)
  verify(@CalledBy() caller: Caller, @Param('id') id: string): Promise<WebhookView> {
    return this.ownership.verify(caller, id)
  }

  @Post(':id/test')
  @Does('Send a sample event to a webhook')
  @HttpCode(202)
  @Answers(202, TestView)
  test(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @OptionalJsonBody(TestWebhookBody) body: TestWebhookBody,
  ): Promise<TestView> {
    return this.sample.send(caller, id, body)
  }

  @Get(':id/secrets')
  @Does('List the secrets of a webhook')
  @AnswersList(SecretView)
  listSecrets(@CalledBy() caller: Caller, @Param('id') id: string): Promise<ListView<SecretView>> {
    return this.secrets.list(caller, id)
  }

  @Post(':id/secrets/rotate')
  @Does('Give a webhook a new secret')
  @HttpCode(201)
  @Answers(201, RevealedSecretView)
  rotate(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @OptionalJsonBody(RotateSecretBody) body: RotateSecretBody,
  ): Promise<RevealedSecretView> {
    return this.secrets.rotate(caller, id, body)
  }

  /** A POST, because it leaves an entry in the audit. */
  @Post(':id/secrets/:secret/reveal')
  @Does('Reveal a secret')
  @HttpCode(200)
  @Needs('admin')
  @Answers(200, RevealedSecretView)
  reveal(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @Param('secret') secret: string,
  ): Promise<RevealedSecretView> {
    return this.secrets.reveal(caller, id, secret)
  }
}

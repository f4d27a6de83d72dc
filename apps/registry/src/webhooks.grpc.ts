import { GrpcMethod } from '@nestjs/microservices'
import {
  CreateWebhookBody,
  GrpcCalledBy,
  GrpcEdge,
  IfVersion,
  ListWebhooksQuery,
  Message,
  messageOf,
  MessageText,
  MessageWithout,
  Needs,
  PatchMessage,
  PatchWebhookBody,
  RotateSecretBody,
  TestWebhookBody,
  type Caller,
} from '@posthorn/api'
import { GrpcManners } from './grpc-manners.js'
import { WebhookOwnership } from './webhook-ownership.js'
import { WebhookSecrets } from './webhook-secrets.js'
import { WebhookTest } from './webhook-test.js'
import { WebhookCases } from './webhooks.js'

const SERVICE = 'WebhookService'

@GrpcEdge(GrpcManners)
export class WebhooksGrpc {
  constructor(
    private readonly webhooks: WebhookCases,
    private readonly secrets: WebhookSecrets,
    private readonly sample: WebhookTest,
    private readonly ownership: WebhookOwnership,
  ) {}

  @GrpcMethod(SERVICE, 'CreateWebhook')
  async create(
    @GrpcCalledBy() caller: Caller,
    @Message(CreateWebhookBody, 'webhook') body: CreateWebhookBody,
  ): Promise<unknown> {
    return messageOf(await this.webhooks.create(caller, body))
  }

  @GrpcMethod(SERVICE, 'ListWebhooks')
  async list(@GrpcCalledBy() caller: Caller, @Message(ListWebhooksQuery) query: ListWebhooksQuery): Promise<unknown> {
    return messageOf(await this.webhooks.list(caller, query))
  }

  @GrpcMethod(SERVICE, 'GetWebhook')
  async get(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.webhooks.get(caller, id))
  }

  @GrpcMethod(SERVICE, 'GetWebhookByUid')
  async byUid(@GrpcCalledBy() caller: Caller, @MessageText('uid') uid: string): Promise<unknown> {
    return messageOf(await this.webhooks.byUid(caller, uid))
  }

  @GrpcMethod(SERVICE, 'UpdateWebhook')
  async change(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @PatchMessage(PatchWebhookBody, 'webhook') body: PatchWebhookBody,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    return messageOf(await this.webhooks.change(caller, id, body, version))
  }

  @GrpcMethod(SERVICE, 'UpsertWebhook')
  async upsert(
    @GrpcCalledBy() caller: Caller,
    @MessageText('uid') uid: string,
    @Message(CreateWebhookBody, 'webhook') body: CreateWebhookBody,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    return messageOf((await this.webhooks.upsert(caller, uid, body, version)).webhook)
  }

  @GrpcMethod(SERVICE, 'DeleteWebhook')
  async remove(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @IfVersion() version: number | undefined,
  ): Promise<unknown> {
    await this.webhooks.remove(caller, id, version)
    return {}
  }

  @GrpcMethod(SERVICE, 'DisableWebhook')
  async disable(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.webhooks.disable(caller, id))
  }

  @GrpcMethod(SERVICE, 'EnableWebhook')
  async enable(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.webhooks.enable(caller, id))
  }

  @GrpcMethod(SERVICE, 'PauseWebhook')
  async pause(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.webhooks.pause(caller, id))
  }

  @GrpcMethod(SERVICE, 'ResumeWebhook')
  async resume(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.webhooks.resume(caller, id))
  }

  @GrpcMethod(SERVICE, 'VerifyWebhook')
  async verify(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.ownership.verify(caller, id))
  }

  @GrpcMethod(SERVICE, 'TestWebhook')
  async test(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageWithout(TestWebhookBody, 'id') body: TestWebhookBody,
  ): Promise<unknown> {
    return messageOf(await this.sample.send(caller, id, body), ['event'])
  }

  @GrpcMethod(SERVICE, 'ListSecrets')
  async listSecrets(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.secrets.list(caller, id))
  }

  @GrpcMethod(SERVICE, 'RevealSecret')
  @Needs('admin')
  async reveal(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageText('secret_id') secret: string,
  ): Promise<unknown> {
    return messageOf(await this.secrets.reveal(caller, id, secret))
  }

  @GrpcMethod(SERVICE, 'RotateSecret')
  async rotate(
    @GrpcCalledBy() caller: Caller,
    @MessageText('id') id: string,
    @MessageWithout(RotateSecretBody, 'id') body: RotateSecretBody,
  ): Promise<unknown> {
    return messageOf(await this.secrets.rotate(caller, id, body))
  }
}

import { randomBytes } from 'node:crypto'
import {
  ApiError,
  metadataFaults,
  retryPolicyFrom,
  type CreateWebhookBody,
  type ListView,
  type ListWebhooksQuery,
  type PatchWebhookBody,
  type WebhookView,
  type CreatedWebhookView,
} from '@posthorn/api'
import type { Sealer } from '@posthorn/sealing'
import type { WebhookChange, WebhookRow, Webhooks } from '@posthorn/store'
import { DEFAULT_RETRY_POLICY, secretFrom, webhookId } from '@posthorn/webhook'
import { cursorOf, positionOf, type CursorShape } from './cursor.js'
import { webhookView } from './views.js'

const ID = /^webhook_[0-9a-z]{26}$/
const CURSOR: CursorShape = { list: 'webhooks', fields: { createdAt: 'time', id: 'text' } }

/**
 * What can be done with webhooks. Every change is published as soon as it is committed, and answered
 * once it stands on the topic: an event published after the answer meets the webhook as it is now.
 */
export class Registration {
  constructor(
    private readonly webhooks: Webhooks,
    private readonly sealer: Sealer,
    /** Resolves when the version can be read by everybody, or when that takes too long to wait for. */
    private readonly published: (id: string, version: number) => Promise<void>,
  ) {}

  async create(tenant: string, body: CreateWebhookBody): Promise<CreatedWebhookView> {
    await this.requireTenant(tenant)
    const id = webhookId(randomBytes(16))
    const secret = body.secret ?? secretFrom(randomBytes(32))
    const row = await this.webhooks.insert({
      id,
      tenant,
      status: 'active',
      url: body.url,
      method: 'POST',
      events: body.events,
      filter: null,
      format: 'standard',
      sealedSecrets: [this.sealer.seal(secret, id)],
      retryPolicy: retryPolicyFrom(body.retry_policy ?? {}, DEFAULT_RETRY_POLICY, DEFAULT_RETRY_POLICY),
      description: body.description ?? null,
      metadata: body.metadata ?? {},
    })
    await this.published(id, row.version)
    return { ...webhookView(row), secret }
  }

  async list(tenant: string, query: ListWebhooksQuery): Promise<ListView<WebhookView>> {
    await this.requireTenant(tenant)
    const after = positionOf(CURSOR, query.cursor)
    const { rows, next } = await this.webhooks.list(tenant, {
      limit: query.limit,
      status: query.status,
      after: after && { createdAt: new Date(after.createdAt as number), id: after.id as string },
    })
    return {
      data: rows.map(webhookView),
      next_cursor: next ? cursorOf(CURSOR, { createdAt: next.createdAt.getTime(), id: next.id }) : null,
    }
  }

  async get(tenant: string, id: string): Promise<WebhookView> {
    await this.requireTenant(tenant)
    return webhookView(found(id, ID.test(id) ? await this.webhooks.get(tenant, id) : undefined))
  }

  async change(tenant: string, id: string, body: PatchWebhookBody): Promise<WebhookView> {
    await this.requireTenant(tenant)
    const decide = (row: WebhookRow) => this.changeOf(row, body)
    const row = found(id, ID.test(id) ? await this.webhooks.change(tenant, id, decide) : undefined)
    await this.published(id, row.version)
    return webhookView(row)
  }

  async remove(tenant: string, id: string): Promise<void> {
    await this.requireTenant(tenant)
    const row = found(id, ID.test(id) ? await this.webhooks.remove(tenant, id) : undefined)
    await this.published(id, row.version)
  }

  async requireTenant(tenant: string): Promise<void> {
    if (!(await this.webhooks.tenantExists(tenant)))
      throw new ApiError('tenant_not_found', `There is no tenant "${tenant}".`)
  }

  private changeOf(row: WebhookRow, body: PatchWebhookBody): WebhookChange {
    const { url, events, status, description, metadata, retry_policy: policy, secret } = body
    return {
      ...(url === undefined ? {} : { url }),
      ...(events === undefined ? {} : { events }),
      ...(status === undefined ? {} : { status }),
      ...(description === undefined ? {} : { description }),
      ...(metadata === undefined ? {} : { metadata: mergedMetadata(row.metadata, metadata) }),
      ...(policy === undefined
        ? {}
        : {
            retryPolicy: retryPolicyFrom(
              policy ?? {},
              policy ? row.retryPolicy : DEFAULT_RETRY_POLICY,
              DEFAULT_RETRY_POLICY,
            ),
          }),
      ...(secret === undefined ? {} : { sealedSecrets: [this.sealer.seal(secret, row.id)] }),
    }
  }
}

function found<T>(id: string, value: T | undefined): T {
  if (value === undefined) throw new ApiError('webhook_not_found', `There is no webhook "${id.slice(0, 100)}".`)
  return value
}

/** Merge-patch of the map: null removes. What it comes to must still be allowed. */
function mergedMetadata(
  before: Readonly<Record<string, string>>,
  patch: Readonly<Record<string, string | null>> | null,
): Record<string, string> {
  if (patch === null) return {}
  const merged = Object.entries({ ...before, ...patch }).filter((entry): entry is [string, string] => entry[1] !== null)
  const metadata = Object.fromEntries(merged)
  const problems = metadataFaults(metadata).map(fault => ({ ...fault, pointer: `/metadata${fault.pointer}` }))
  if (problems.length > 0) throw new ApiError('request_invalid', `/metadata ${problems[0]!.message}.`, problems)
  return metadata
}

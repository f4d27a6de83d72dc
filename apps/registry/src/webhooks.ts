import { randomBytes } from 'node:crypto'
import {
  ApiError,
  signatureHeadersFaults,
  uidFaults,
  type Caller,
  type CreatedWebhookView,
  type CreateWebhookBody,
  type ListView,
  type ListWebhooksQuery,
  type PatchWebhookBody,
  type WebhookView,
} from '@posthorn/api'
import type { Sealer } from '@posthorn/sealing'
import { UidTaken, type WebhookChange, type WebhookRow, type Webhooks } from '@posthorn/store'
import { patternsMatching, webhookId } from '@posthorn/webhook'
import { audited } from './auditing.js'
import type { BackgroundHandshakes } from './background-handshakes.js'
import { pageView, placeOf, type CursorShape } from './cursor.js'
import type { Publishing } from './publishing.js'
import type { TenantCases } from './tenants.js'
import { refuse } from './refuse.js'
import { changeOf, fieldsOf, newSecret, replacementOf } from './webhook-fields.js'
import { refuseSigningConflicts } from './webhook-signing.js'
import { settingsView, webhookView } from './webhook-view.js'

const ID = /^webhook_[0-9a-z]{26}$/
const CURSOR: CursorShape = { list: 'webhooks', fields: { createdAt: 'time', id: 'text' } }

/** What an upsert came to; a creation has the secret, as it is shown once. */
export type Upserted =
  | { readonly kind: 'created'; readonly webhook: CreatedWebhookView }
  | { readonly kind: 'kept'; readonly webhook: WebhookView }

export interface WebhookSettings {
  /** What the names of the signature's headers start with. */
  readonly signatureHeaderPrefix: string
  /** With it a webhook is pending until its receiver has agreed. */
  readonly webhookOwnershipOrigin?: string | undefined
}

/**
 * What can be done with webhooks. Every change is published as soon as it is committed, and answered
 * once it stands on the topic: an event published after the answer meets the webhook as it is now.
 */
export class WebhookCases {
  constructor(
    private readonly webhooks: Webhooks,
    private readonly tenants: Pick<TenantCases, 'require'>,
    private readonly sealer: Sealer,
    private readonly publishing: Publishing,
    private readonly settings: WebhookSettings,
    private readonly handshakes: Pick<BackgroundHandshakes, 'wake'>,
  ) {}

  async create(caller: Caller, body: CreateWebhookBody): Promise<CreatedWebhookView> {
    const { tenant } = caller
    this.refuseSignatureHeaders(body)
    const id = webhookId(randomBytes(16))
    const fields = fieldsOf(this.sealer, id, body)
    const { verifier, kept } = newSecret(this.sealer, { id, ...fields }, body)
    refuseSigningConflicts({ ...fields, secrets: [kept] })
    const row = await this.webhooks.insert(
      { id, tenant, status: this.asksReceivers ? 'pending' : 'active', secrets: [kept], ...fields },
      audited(caller, tenant, 'webhook.created', settingsView),
    )
    await this.published(row)
    return { ...(await this.viewOf(row)), secret: verifier }
  }

  async list({ tenant }: Caller, query: ListWebhooksQuery): Promise<ListView<WebhookView>> {
    await this.tenants.require(tenant)
    const { limit, status, uid, event_type: type, cursor } = query
    const anyOf = type === undefined ? undefined : patternsMatching(type)
    const page = await this.webhooks.list(tenant, { limit, status, uid, anyOf, after: placeOf(CURSOR, cursor) })
    const conditionOf = await this.webhooks.conditions(page.rows)
    return pageView(CURSOR, page, row => webhookView(row, conditionOf(row)))
  }

  async get({ tenant }: Caller, id: string): Promise<WebhookView> {
    await this.tenants.require(tenant)
    return this.viewOf(found(id, ID.test(id) ? await this.webhooks.get(tenant, id) : undefined))
  }

  change(caller: Caller, id: string, body: PatchWebhookBody, version?: number): Promise<WebhookView> {
    this.refuseSignatureHeaders(body)
    return this.apply(caller, id, 'webhook.updated', row => changeOf(this.sealer, row, body), version)
  }

  disable(caller: Caller, id: string): Promise<WebhookView> {
    return this.apply(caller, id, 'webhook.disabled', () => ({ status: 'disabled' }))
  }

  enable(caller: Caller, id: string): Promise<WebhookView> {
    return this.apply(caller, id, 'webhook.enabled', () => ({ status: 'active' }))
  }

  pause(caller: Caller, id: string): Promise<WebhookView> {
    return this.apply(caller, id, 'webhook.paused', pausedOf)
  }

  resume(caller: Caller, id: string): Promise<WebhookView> {
    return this.apply(caller, id, 'webhook.resumed', resumedOf)
  }

  async remove(caller: Caller, id: string, version?: number): Promise<void> {
    await this.tenants.require(caller.tenant)
    const trail = audited(caller, caller.tenant, 'webhook.deleted', settingsView)
    const row = found(id, ID.test(id) ? await this.webhooks.remove(caller.tenant, id, version, trail) : undefined)
    await this.publishing.published('webhook', row)
  }

  async byUid({ tenant }: Caller, uid: string): Promise<WebhookView> {
    await this.tenants.require(tenant)
    return this.viewOf(found(uid, uidFaults(uid).length === 0 ? await this.webhooks.byUid(tenant, uid) : undefined))
  }

  /**
   * Makes the webhook of this uid be what the body says, and nothing else. A secret that the body
   * does not name stays as it is. Sent twice, the second one changes nothing.
   */
  async upsert(caller: Caller, uid: string, body: CreateWebhookBody, version?: number): Promise<Upserted> {
    requireUid(uid, body)
    this.refuseSignatureHeaders(body)
    await this.tenants.require(caller.tenant)
    const whole = { ...body, uid }
    // Made or deleted by another between two steps, it is looked at once more.
    for (let tries = 0; ; tries++) {
      const row = await this.webhooks.byUid(caller.tenant, uid)
      if (!row && version !== undefined) throw new ApiError('version_conflict', 'There is no webhook with this uid.')
      const outcome = row ? await this.replace(caller, row.id, whole, version) : await this.tryCreate(caller, whole)
      if (outcome) return outcome
      if (tries === 2) throw new ApiError('uid_taken', 'The webhook with this uid is being changed by others.')
    }
  }

  /** They would not be sent: the signature's come over them. */
  private refuseSignatureHeaders({ headers, authentication, signing }: PatchWebhookBody | CreateWebhookBody): void {
    const { signatureHeaderPrefix: prefix } = this.settings
    refuse('/headers', signatureHeadersFaults(Object.keys(headers ?? {}), prefix))
    if (authentication?.type === 'api_key' && signatureHeadersFaults([authentication.header ?? ''], prefix).length > 0)
      refuse('/authentication', [{ pointer: '/header', message: 'is set by Posthorn' }])
    if (signing && 'header' in signing && signatureHeadersFaults([signing.header ?? ''], prefix).length > 0)
      refuse('/signing', [{ pointer: '/header', message: 'is set by Posthorn' }])
  }

  private async replace(
    caller: Caller,
    id: string,
    body: CreateWebhookBody,
    version: number | undefined,
  ): Promise<Upserted | undefined> {
    const trail = audited(caller, caller.tenant, 'webhook.updated', settingsView)
    const decide = (row: WebhookRow) => this.agreedTo(row, replacementOf(this.sealer, row, body))
    const row = await this.webhooks.change(caller.tenant, id, version, decide, trail)
    if (!row) return undefined
    await this.published(row)
    return { kind: 'kept', webhook: await this.viewOf(row) }
  }

  private async tryCreate(caller: Caller, body: CreateWebhookBody): Promise<Upserted | undefined> {
    try {
      return { kind: 'created', webhook: await this.create(caller, body) }
    } catch (error) {
      if (error instanceof UidTaken) return undefined
      throw error
    }
  }

  private async apply(
    caller: Caller,
    id: string,
    action: string,
    decide: (row: WebhookRow) => WebhookChange,
    version?: number,
  ): Promise<WebhookView> {
    await this.tenants.require(caller.tenant)
    const trail = audited(caller, caller.tenant, action, settingsView)
    const agreed = (row: WebhookRow) => this.agreedTo(row, decide(row))
    const row = found(
      id,
      ID.test(id) ? await this.webhooks.change(caller.tenant, id, version, agreed, trail) : undefined,
    )
    await this.published(row)
    return this.viewOf(row)
  }

  /** Nothing becomes active, or stays so at another URL, to which the receiver there has not agreed. */
  private agreedTo(row: WebhookRow, change: WebhookChange): WebhookChange {
    const { status = row.status, url = row.url } = change
    if (!this.asksReceivers || status !== 'active') return change
    const isAtOld = url === row.url
    if (isAtOld && (row.status === 'active' || row.ownership?.verifiedAt)) return change
    return { ...change, status: 'pending' }
  }

  private get asksReceivers(): boolean {
    return this.settings.webhookOwnershipOrigin !== undefined
  }

  private async published(row: WebhookRow): Promise<void> {
    if (row.status === 'pending') this.handshakes.wake()
    await this.publishing.published('webhook', row)
  }

  private async viewOf(row: WebhookRow): Promise<WebhookView> {
    return webhookView(row, (await this.webhooks.conditions([row]))(row))
  }
}

/** The row, or ApiError webhook_not_found. */
export function found<T>(id: string, value: T | undefined): T {
  if (value === undefined) throw new ApiError('webhook_not_found', `There is no webhook "${id.slice(0, 100)}".`)
  return value
}

/** A disabled webhook, or one that is not active yet, gets nothing that a pause could keep. */
function pausedOf(row: WebhookRow): WebhookChange {
  if (row.status === 'pending') throw new ApiError('webhook_pending', 'A pending webhook cannot be paused.')
  return { ...resumedOf(row), status: 'paused' }
}

function resumedOf(row: WebhookRow): WebhookChange {
  if (row.status === 'disabled') throw new ApiError('webhook_disabled', 'The webhook is disabled.')
  return { status: 'active' }
}

function requireUid(uid: string, body: CreateWebhookBody): void {
  const [fault] = uidFaults(uid)
  if (fault) throw new ApiError('request_invalid', `The uid ${fault.message}.`, [{ ...fault, pointer: '/uid' }])
  if ((body.uid ?? uid) !== uid)
    throw new ApiError('request_invalid', 'The uid of the body is not the one of the path.', [
      { pointer: '/uid', message: 'must be the one of the path, or absent' },
    ])
}

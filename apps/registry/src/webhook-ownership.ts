import { ApiError, type Caller, type WebhookView } from '@posthorn/api'
import { ProxyFailed, RequestTls, type Egress, type EgressRequest, type EgressResult } from '@posthorn/egress'
import type { Sealer } from '@posthorn/sealing'
import { HANDSHAKE_EVERY_S, type Audited, type Ownerships, type WebhookRow, type Webhooks } from '@posthorn/store'
import {
  HANDSHAKE_ANSWER_HEADERS,
  handshakeDelayMs,
  handshakeHeaders,
  judgeHandshake,
  type Ownership,
} from '@posthorn/webhook'
import { audited } from './auditing.js'
import type { Publishing } from './publishing.js'
import type { TenantCases } from './tenants.js'
import { settingsView, webhookView } from './webhook-view.js'
import { found } from './webhooks.js'

const ID = /^webhook_[0-9a-z]{26}$/
/** A receiver only has to answer, and a person may be waiting. */
const TIMEOUT_MS = 10_000
const NO_BODY = new Uint8Array()

export interface OwnershipParts {
  readonly webhooks: Pick<Webhooks, 'get' | 'change' | 'conditions'>
  readonly ownerships: Pick<Ownerships, 'claim' | 'noteRefusal'>
  readonly tenants: Pick<TenantCases, 'require'>
  readonly publishing: Pick<Publishing, 'published'>
  readonly egress: Pick<Egress, 'send'>
  readonly sealer: Pick<Sealer, 'unseal'>
  /** What receivers are asked to agree to; undefined: none is asked. */
  readonly origin: string | undefined
}

/** Asks receivers whether they want what is to be sent to them. Until they agree their webhooks are pending. */
export class WebhookOwnership {
  constructor(private readonly parts: OwnershipParts) {}

  /** Asks at once. What the receiver said is in the answer, whatever it is. */
  async verify(caller: Caller, id: string): Promise<WebhookView> {
    const { webhooks, ownerships, tenants, origin } = this.parts
    const { tenant } = caller
    await tenants.require(tenant)
    const row = found(id, ID.test(id) ? await webhooks.get(tenant, id) : undefined)
    if (origin === undefined) throw new ApiError('ownership_off', 'POSTHORN_WEBHOOK_OWNERSHIP_ORIGIN is not set.')
    if (row.ownership?.verifiedAt) return this.viewOf(row)
    if (!(await ownerships.claim(id)))
      throw new ApiError('handshake_limited', `It is asked once in ${HANDSHAKE_EVERY_S} s.`, [], HANDSHAKE_EVERY_S)
    await this.handshake(row, audited(caller, tenant, 'webhook.verified', settingsView))
    return this.viewOf(found(id, await webhooks.get(tenant, id)))
  }

  /** One handshake, of a webhook that was claimed; rejects when it is given up by the signal. */
  async handshake(row: WebhookRow, trail: Audited<WebhookRow>, signal?: AbortSignal): Promise<void> {
    const said = await this.ask(row, signal)
    if (said.verifiedAt === null) return this.parts.ownerships.noteRefusal(row, said, handshakeDelayMs(said.attempts))
    const agreed = (current: WebhookRow) => {
      if (current.url !== row.url || current.ownership?.verifiedAt) return {}
      return { ownership: said, ...(current.status === 'pending' ? { status: 'active' as const } : {}) }
    }
    const after = await this.parts.webhooks.change(row.tenant, row.id, undefined, agreed, trail)
    if (after) await this.parts.publishing.published('webhook', after)
  }

  /** Without the customer's headers or its authentication: nobody knows yet who is there. A client certificate gives nothing away. */
  private async ask(row: WebhookRow, signal: AbortSignal | undefined): Promise<Ownership> {
    const { egress, sealer, origin } = this.parts
    const result = await throughProxy(egress, {
      url: row.url,
      method: 'OPTIONS',
      headers: handshakeHeaders(origin!, row.rateLimit),
      body: NO_BODY,
      timeoutMs: TIMEOUT_MS,
      tellHeaders: HANDSHAKE_ANSWER_HEADERS,
      ...(row.allowedCidrs === null ? {} : { allowedCidrs: row.allowedCidrs }),
      ...(row.deniedCidrs === null ? {} : { deniedCidrs: row.deniedCidrs }),
      ...(row.tls === null ? {} : { tls: RequestTls.of(row.id, row.tls, sealer) }),
      ...(row.minTlsVersion === null ? {} : { minTlsVersion: row.minTlsVersion }),
      ...(signal === undefined ? {} : { signal }),
    })
    return judgeHandshake(result, origin!, row.ownership, Date.now())
  }

  private async viewOf(row: WebhookRow): Promise<WebhookView> {
    return webhookView(row, (await this.parts.webhooks.conditions([row]))(row))
  }
}

/** A proxy that fails says nothing about the receiver: nothing is noted. */
async function throughProxy(egress: OwnershipParts['egress'], request: EgressRequest): Promise<EgressResult> {
  try {
    return await egress.send(request)
  } catch (error) {
    throw error instanceof ProxyFailed ? new ApiError('egress_unavailable', `${error.message}.`) : error
  }
}

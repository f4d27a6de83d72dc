import {
  ApiError,
  DEFAULT_OVERLAP_S,
  type Caller,
  type ListView,
  type RevealedSecretView,
  type RotateSecretBody,
  type SecretView,
} from '@posthorn/api'
import type { Sealer } from '@posthorn/sealing'
import type { Audit, StoredSecret, WebhookRow, Webhooks } from '@posthorn/store'
import { secretContext, verifierOf } from '@posthorn/webhook'
import { actorOf, audited } from './auditing.js'
import type { Publishing } from './publishing.js'
import type { TenantCases } from './tenants.js'
import { newSecret } from './webhook-fields.js'
import { refuseKeyPair } from './webhook-signing.js'
import { secretView, settingsView } from './webhook-view.js'
import { found } from './webhooks.js'

const ID = /^webhook_[0-9a-z]{26}$/
/** Each signs every request: more would make the header long and help nobody. */
const MAX_SECRETS = 5

/** What can be done with the secrets of one webhook. */
export class WebhookSecrets {
  constructor(
    private readonly webhooks: Webhooks,
    private readonly tenants: Pick<TenantCases, 'require'>,
    private readonly audit: Audit,
    private readonly sealer: Sealer,
    private readonly publishing: Publishing,
  ) {}

  /** Newest first, without their values. */
  async list(caller: Caller, webhook: string): Promise<ListView<SecretView>> {
    const { secrets } = await this.row(caller, webhook)
    return { data: secrets.map(secretView), next_cursor: null }
  }

  /** With its value; who asked for it is in the audit before the answer is given. */
  async reveal(caller: Caller, webhook: string, id: string): Promise<RevealedSecretView> {
    const row = await this.row(caller, webhook)
    const secret = row.secrets.find(one => one.id === id)
    if (!secret) throw new ApiError('secret_not_found', `The webhook has no secret "${id.slice(0, 100)}".`)
    await this.audit.append({
      ...actorOf(caller),
      tenant: caller.tenant,
      action: 'webhook.secret_revealed',
      subject: webhook,
      before: null,
      after: secretView(secret),
    })
    return { ...secretView(secret), secret: verifierOf(this.sealer.unseal(secret.sealed, secretContext(row))) }
  }

  /** A new secret signs from now on, and those before it for the overlap that is asked for. */
  async rotate(caller: Caller, webhook: string, body: RotateSecretBody): Promise<RevealedSecretView> {
    await this.tenants.require(caller.tenant)
    const overlap = body.overlap_seconds ?? DEFAULT_OVERLAP_S
    let made: ReturnType<typeof newSecret> | undefined
    const decide = (row: WebhookRow) => {
      const { secrets } = row
      made = newSecret(this.sealer, row, body, secrets[0]?.signature)
      refuseKeyPair(row, made.kept, typeof body.secret === 'string')
      return { secrets: [made.kept, ...overlapping(secrets, overlap)] }
    }
    const trail = audited(caller, caller.tenant, 'webhook.secret_rotated', rotationView)
    const known = ID.test(webhook)
      ? await this.webhooks.change(caller.tenant, webhook, undefined, decide, trail)
      : undefined
    await this.publishing.published('webhook', found(webhook, known))
    return { ...secretView(made!.kept), secret: made!.verifier }
  }

  private async row({ tenant }: Caller, id: string): Promise<WebhookRow> {
    await this.tenants.require(tenant)
    return found(id, ID.test(id) ? await this.webhooks.get(tenant, id) : undefined)
  }
}

function rotationView(row: WebhookRow): object {
  return { ...settingsView(row), secrets: row.secrets.map(secretView) }
}

/** Those that still sign beside the new one: until the overlap is over, or until their own end if that is sooner. */
function overlapping(secrets: readonly StoredSecret[], overlapSeconds: number): StoredSecret[] {
  if (overlapSeconds === 0) return []
  const end = new Date(Date.now() + overlapSeconds * 1000).toISOString()
  return secrets
    .slice(0, MAX_SECRETS - 1)
    .map(secret => (secret.expiresAt !== null && secret.expiresAt < end ? secret : { ...secret, expiresAt: end }))
}

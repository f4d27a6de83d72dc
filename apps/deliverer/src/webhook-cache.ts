import { RequestTls } from '@posthorn/egress'
import { PayloadCipher } from '@posthorn/sealing'
import {
  authenticationContext,
  compileSigner,
  headerContext,
  secretContext,
  type Signer,
  type Webhook,
} from '@posthorn/webhook'
import { publicUrl } from './public-url.js'
import type { RequestTerms } from './signed-request.js'

/** A webhook made ready to send to: secrets opened and compiled once per version. */
export interface PreparedWebhook {
  readonly webhook: Webhook
  readonly signer: Signer
  /** Absent: bodies are sent as they are. */
  readonly cipher?: PayloadCipher
  /** Absent: connections are made as the deployment says. */
  readonly tls?: RequestTls
  /** The customer's own, and what shows the receiver who sends. */
  readonly headers: Readonly<Record<string, string>>
  /** Its URL as records and logs may show it. */
  readonly publicUrl: string
  readonly terms: RequestTerms
}

export type OpenedWebhook =
  | { readonly kind: 'prepared'; readonly prepared: PreparedWebhook }
  /**
   * A secret does not open: a master key is missing, the document was tampered with, or it says something
   * that this process is too old to know. Or its key is none that can be encrypted to.
   */
  | { readonly kind: 'sealed' }

interface Opener {
  unseal(sealed: string, context: string): string
}

/** Failures are tried again this often only: a rotation that is under way is seen, a flood costs little. */
const RETRY_FAILED_MS = 5_000
/** Webhooks kept ready; each costs about a kilobyte. */
const MAX_ENTRIES = 10_000

interface Entry {
  readonly version: number
  readonly opened: OpenedWebhook
  readonly madeAt: number
}

export class WebhookCache {
  private readonly entries = new Map<string, Entry>()

  constructor(
    private readonly sealer: Opener,
    /** Told once a try, not once a delivery. */
    private readonly alert: (webhook: Webhook, error: Error) => void,
    private readonly terms: RequestTerms,
  ) {}

  open(webhook: Webhook, now: number): OpenedWebhook {
    const entry = this.entries.get(webhook.id)
    if (
      entry?.version === webhook.version &&
      (entry.opened.kind === 'prepared' || now < entry.madeAt + RETRY_FAILED_MS)
    )
      return entry.opened
    const opened = this.prepare(webhook)
    this.entries.delete(webhook.id)
    this.entries.set(webhook.id, { version: webhook.version, opened, madeAt: now })
    if (this.entries.size > MAX_ENTRIES) this.entries.delete(this.entries.keys().next().value!)
    return opened
  }

  private prepare(webhook: Webhook): OpenedWebhook {
    try {
      const context = secretContext(webhook)
      const secrets = webhook.sealedSecrets.map(sealed => this.sealer.unseal(sealed, context))
      const signer = compileSigner(secrets, webhook.signing)
      const headers = this.headersOf(webhook)
      const cipher = webhook.encryption && new PayloadCipher(webhook.encryption.key)
      const tls = webhook.tls && RequestTls.of(webhook.id, webhook.tls, this.sealer)
      const prepared = {
        webhook,
        signer,
        headers,
        publicUrl: publicUrl(webhook.url),
        terms: this.terms,
        ...(cipher ? { cipher } : {}),
        ...(tls ? { tls } : {}),
      }
      return { kind: 'prepared', prepared }
    } catch (error) {
      this.alert(webhook, error as Error)
      return { kind: 'sealed' }
    }
  }

  private headersOf({ id, sealedHeaders = {}, authentication }: Webhook): Record<string, string> {
    const own = Object.fromEntries(
      Object.entries(sealedHeaders).map(([name, sealed]) => [
        name,
        this.sealer.unseal(sealed, headerContext(id, name)),
      ]),
    )
    if (!authentication) return own
    const { header, sealed } = authentication
    return { ...own, [header]: this.sealer.unseal(sealed, authenticationContext(id, header)) }
  }
}

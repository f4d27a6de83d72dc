import type { RequestTls } from '@posthorn/egress'
import {
  formatEvent,
  ORIGIN_HEADER,
  partForEncryption,
  signatureHeaders,
  withoutTrace,
  type TlsVersion,
  type Webhook,
} from '@posthorn/webhook'
import type { PreparedWebhook } from './webhook-cache.js'
import type { Work } from './work.js'

/** What requests of this deployment have in common. */
export interface RequestTerms {
  /** Where receivers reach the REST API, without a slash at its end; empty: links are paths. */
  readonly apiUrl: string
  /** What the names of the signature's three headers start with, in lower case, such as webhook. */
  readonly headerPrefix: string
  /** What receivers have agreed to get events from; absent: they are not asked. */
  readonly origin?: string
}

export interface SignedRequest {
  readonly url: string
  readonly method: Webhook['method']
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly timeoutMs: number
  readonly allowedCidrs?: readonly string[]
  readonly deniedCidrs?: readonly string[]
  readonly minTlsVersion?: TlsVersion
  readonly tls?: RequestTls
}

/** One attempt as a request, encrypted if the webhook says so, and then signed at `now` (ms). */
export async function signedRequest(work: Work, prepared: PreparedWebhook, now: number): Promise<SignedRequest> {
  const { webhook, signer, terms } = prepared
  const { headerPrefix, origin } = terms
  const { delivery } = work
  const { headers, body } = await content(work, prepared)
  const timestamp = Math.floor(now / 1000)
  return {
    url: webhook.url,
    method: webhook.method,
    headers: {
      ...headers,
      ...(origin === undefined ? {} : { [ORIGIN_HEADER]: origin }),
      ...signatureHeaders(signer, headerPrefix, { id: delivery.id, timestamp, body }),
    },
    body,
    timeoutMs: webhook.retryPolicy.timeoutMs,
    ...(webhook.allowedCidrs ? { allowedCidrs: webhook.allowedCidrs } : {}),
    ...(webhook.deniedCidrs ? { deniedCidrs: webhook.deniedCidrs } : {}),
    ...(webhook.minTlsVersion ? { minTlsVersion: webhook.minTlsVersion } : {}),
    ...(prepared.tls ? { tls: prepared.tls } : {}),
  }
}

interface Content {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** What Posthorn says beats a header of the customer's own. */
async function content({ delivery: whole, data }: Work, prepared: PreparedWebhook): Promise<Content> {
  const { webhook, signer, terms, headers: own, cipher } = prepared
  const delivery = webhook.sendTraceparent ? whole : { ...whole, event: withoutTrace(whole.event) }
  const { headers, body } = formatEvent(webhook.format, { delivery, data, keys: signer.keys, apiUrl: terms.apiUrl })
  if (!cipher) return { headers: { ...own, ...headers }, body }
  const { inside, insideType, outside } = partForEncryption({ headers, own, body }, webhook.encryption!)
  return { headers: outside, body: await cipher.encrypt(inside, insideType) }
}

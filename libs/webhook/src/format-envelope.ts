import { isJsonMediaType, type WebhookEvent } from './event.js'
import type { Formattable } from './formatted.js'
import { signBytes, type SignatureToken, type SigningKey } from './signature.js'

/**
 * `{header: {type, timestamp, id}, body: {data, metadata, context}, signature: {hmac, algorithm, version}}`.
 * What is signed is the object without its last member `signature`, by its very bytes: cut out
 * `,"signature":…` up to the last brace. So no receiver has to write JSON again to check it.
 */
export function envelope({ delivery, data, keys }: Formattable): Buffer {
  const { event, id, webhook, tenant, run, attempt } = delivery
  const header = JSON.stringify({ type: event.type, timestamp: event.time, id: event.id })
  const context = JSON.stringify({ tenant, webhook, delivery: id, run, attempt })
  const tail = `,"metadata":${JSON.stringify(metadataOf(event))},"context":${context}}`
  const unsigned = Buffer.concat([Buffer.from(`{"header":${header},"body":{`), member(event, data), Buffer.from(tail)])
  const signed = Buffer.concat([unsigned, Buffer.from('}')])
  return Buffer.concat([unsigned, Buffer.from(`,"signature":${JSON.stringify(signatureOver(signed, keys))}}`)])
}

function member(event: WebhookEvent, data: Buffer): Buffer {
  if (!isJsonMediaType(event.contenttype)) return Buffer.from(`"data_base64":"${data.toString('base64')}"`)
  return Buffer.concat([Buffer.from('"data":'), data.length > 0 ? data : Buffer.from('null')])
}

/** What the event says of itself beside type, time and id. */
function metadataOf(event: WebhookEvent): Record<string, string> {
  const { extensions, tenant: _tenant, contenttype, type: _type, time: _time, id: _id, ...attributes } = event
  return { ...extensions, ...attributes, datacontenttype: contenttype }
}

const ALGORITHMS = {
  v1: ['hmac', 'HMAC-SHA256'],
  hs512: ['hmac', 'HMAC-SHA512'],
  v1a: ['ed25519', 'Ed25519'],
} as const satisfies Record<SignatureToken, readonly [string, string]>

/** One signature for each active secret, newest first, space-separated; with both kinds of secret, a member for each. */
function signatureOver(bytes: Buffer, keys: readonly SigningKey[]): Record<string, string> {
  const kinds = [...new Set(keys.map(({ kind }) => kind))]
  const signatures = kinds.map(kind => [
    ALGORITHMS[kind][0],
    keys
      .filter(key => key.kind === kind)
      .map(key => signBytes(key, '', bytes))
      .join(' '),
  ])
  const algorithm = kinds.map(kind => ALGORITHMS[kind][1]).join(' ')
  return { ...Object.fromEntries(signatures), algorithm, version: '1' }
}

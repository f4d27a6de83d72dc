import type { Delivery } from './delivery.js'
import type { SigningKey } from './signature.js'

/** What of an event and its delivery a format may tell. */
export interface Formattable {
  readonly delivery: Pick<Delivery, 'id' | 'webhook' | 'tenant' | 'run' | 'attempt' | 'event'>
  /** The event's data, exactly as its producer sent it. */
  readonly data: Buffer
  /** `enveloped` signs within the body, too. */
  readonly keys: readonly SigningKey[]
  /** Where the REST API is, without a slash at its end; empty: links are paths. */
  readonly apiUrl: string
}

/** What a request carries of an event; names of headers in lower case. */
export interface Formatted {
  readonly headers: Readonly<Record<string, string>> & { readonly 'content-type': string }
  readonly body: Buffer
}

/** As a header may have it: parameters with other than ASCII are left out. */
export function headerMediaType(contenttype: string): string {
  return /^[\t\x20-\x7e]*$/.test(contenttype) ? contenttype.trim() : contenttype.split(';', 1)[0]!.trim()
}

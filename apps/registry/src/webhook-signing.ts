import type { StoredSecret, WebhookRow } from '@posthorn/store'
import type { Problem } from '@posthorn/webhook'
import { refuse } from './refuse.js'

type Signed = Pick<WebhookRow, 'signing' | 'sealedHeaders' | 'authentication'> & {
  readonly secrets: readonly StoredSecret[]
}

/** Throws ApiError request_invalid, with the field, for a signing that does not go with the rest of the webhook. */
export function refuseSigningConflicts({ signing, sealedHeaders, authentication, secrets }: Signed): void {
  if (signing === null) return
  refuse('/signing', secrets.some(isKeyPair) ? fault('/type', 'is for shared secrets, and one here is a key pair') : [])
  if (signing.type === 'standard_sha512') return
  if (Object.hasOwn(sealedHeaders, signing.header))
    refuse('/signing', fault('/header', "is among the webhook's headers, too"))
  if (authentication?.header === signing.header)
    refuse('/signing', fault('/header', "is that of the webhook's authentication, too"))
}

/** The same for a secret that comes to the webhook. */
export function refuseKeyPair({ signing }: Pick<WebhookRow, 'signing'>, secret: StoredSecret, given: boolean): void {
  if (signing === null || !isKeyPair(secret)) return
  refuse(given ? '/secret' : '/signature', fault('', `is a key pair, and the webhook's signing is for shared secrets`))
}

function isKeyPair({ signature }: StoredSecret): boolean {
  return signature === 'v1a'
}

function fault(pointer: string, message: string): Problem[] {
  return [{ pointer, message }]
}

import type { TlsBody } from '@posthorn/api'
import type { Sealer } from '@posthorn/sealing'
import type { WebhookRow } from '@posthorn/store'
import { plainTls, tlsKeyContext, tlsPairFaults, type ReceiverTls, type SealedTls } from '@posthorn/webhook'
import { refuse } from './refuse.js'

type Before = Pick<WebhookRow, 'id' | 'tls'>

/** What is kept of a `tls` that is given whole. Throws ApiError request_invalid where its members do not fit each other. */
export function storedTls(sealer: Sealer, before: Before, body: TlsBody): SealedTls | null {
  const given = Object.entries(body).filter(([, value]) => value !== null && value !== undefined)
  if (given.length === 0) return null
  const tls = Object.fromEntries(given) as ReceiverTls
  refuse('/tls', tlsPairFaults(tls))
  const { key, ...shown } = plainTls(tls)
  return key === undefined ? shown : { ...shown, sealedKey: sealedKey(sealer, before, key) }
}

/** Merge-patch: a CA may change without the key, which nobody has to send again. */
export function patchedTls(sealer: Sealer, before: Before, patch: TlsBody): SealedTls | null {
  const { sealedKey: sealed, ...shown } = before.tls ?? {}
  const key = sealed === undefined ? {} : { key: sealer.unseal(sealed, tlsKeyContext(before.id)) }
  return storedTls(sealer, before, { ...shown, ...key, ...patch })
}

/** What there was before, where nothing changes, so that it is no new version. */
function sealedKey(sealer: Sealer, { id, tls }: Before, key: string): string {
  const before = tls?.sealedKey
  return before !== undefined && sealer.unseal(before, tlsKeyContext(id)) === key
    ? before
    : sealer.seal(key, tlsKeyContext(id))
}

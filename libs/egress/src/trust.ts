import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import type { TlsVersion } from '@posthorn/webhook'

/** Which receivers are trusted: by public CAs and those of `ca` (PEM). Takes milliseconds with `ca`: make it once. */
export function receiverTrust(minTlsVersion: TlsVersion, ca: string | undefined): SecureContext {
  const trusted = ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] }
  return createSecureContext({ minVersion: `TLSv${minTlsVersion}`, ...trusted })
}

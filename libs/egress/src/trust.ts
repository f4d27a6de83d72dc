import { createHash } from 'node:crypto'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { tlsKeyContext, type ReceiverTls, type SealedTls, type TlsVersion } from '@posthorn/webhook'

/** Which receivers are trusted: by public CAs and those of `ca` (PEM). Takes 100 ms and 1.2 MiB with `ca`: make it once. */
export function receiverTrust(minTlsVersion: TlsVersion, ca: string | undefined): SecureContext {
  return secureContext(minTlsVersion, deploymentTrust(ca))
}

function deploymentTrust(ca: string | undefined): { ca?: string[] } {
  return ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] }
}

function secureContext(minTlsVersion: TlsVersion, more: { ca?: string | string[]; cert?: string; key?: string }) {
  return createSecureContext({ minVersion: `TLSv${minTlsVersion}`, ...more })
}

interface Opener {
  unseal(sealed: string, context: string): string
}

/** The connections of one webhook with a CA or a client certificate of its own: nobody else's request goes over them. */
export class RequestTls {
  /** That of a webhook; throws where its key does not open, too. */
  static of(webhook: string, tls: SealedTls, opener: Opener): RequestTls {
    const { sealedKey, ...shown } = tls
    const key = sealedKey === undefined ? {} : { key: opener.unseal(sealedKey, tlsKeyContext(webhook)) }
    return new RequestTls(webhook, { ...shown, ...key })
  }

  /** Says without telling anything of the key whose connections these are, and by what they were made. */
  readonly name: string

  /** Throws where OpenSSL does not take what is in it, such as a key that is not that of the certificate. */
  constructor(
    owner: string,
    private readonly parts: ReceiverTls,
  ) {
    const { ca = '', certificate = '', key = '' } = parts
    this.name = createHash('sha256')
      .update(JSON.stringify([owner, ca, certificate, key]))
      .digest('base64')
    secureContext('1.2', { ...(certificate === '' ? {} : { cert: certificate, key }), ...(ca === '' ? {} : { ca }) })
  }

  /** With a CA of its own that one alone is trusted. */
  contextFor(version: TlsVersion, deploymentCa: string | undefined): SecureContext {
    const { ca, certificate: cert, key } = this.parts
    return secureContext(version, {
      ...(ca === undefined ? deploymentTrust(deploymentCa) : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
    })
  }
}

import { ServerCredentials } from '@grpc/grpc-js'

/** What an API server needs of TLS; the process that reads the files provides it. */
export interface TlsSource {
  readonly minVersion: '1.2' | '1.3'
  readonly current: TlsMaterial
  onChange(listener: (material: TlsMaterial) => void): void
}

export interface TlsMaterial {
  readonly cert: string
  readonly key: string
  /** Of clients: with it only those are let in that show a certificate of it. */
  readonly ca?: string
}

/** Options of a server of node:tls. */
export function tlsOptions({ minVersion, current }: TlsSource) {
  const asks = current.ca !== undefined
  return { ...current, minVersion: `TLSv${minVersion}` as const, requestCert: asks, rejectUnauthorized: asks }
}

/** grpc-js makes secure credentials that neither bound the version nor change: hence these. */
export class GrpcTls extends ServerCredentials {
  constructor(source: TlsSource) {
    const { minVersion, requestCert, rejectUnauthorized } = tlsOptions(source)
    super({ minVersion, requestCert, rejectUnauthorized }, { ...source.current })
    source.onChange(material => this.updateSecureContextOptions({ ...material }))
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this
  }
}

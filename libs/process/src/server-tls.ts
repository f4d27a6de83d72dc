import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Logger } from '@posthorn/telemetry'
import type { TlsVersion } from '@posthorn/webhook'

/** All in PEM. */
export interface TlsContext {
  readonly cert: string
  readonly key: string
  /** Of clients: without it none is asked for a certificate. */
  readonly ca?: string
}

export interface ServerTlsSettings {
  readonly tlsCertFile?: string
  readonly tlsKeyFile?: string
  readonly tlsClientCaFile?: string
  readonly tlsMinVersion: TlsVersion
}

const CERT = 'POSTHORN_TLS_CERT_FILE'
const KEY = 'POSTHORN_TLS_KEY_FILE'
const CLIENT_CA = 'POSTHORN_TLS_CLIENT_CA_FILE'
/** A rotated certificate is shown within this; the files are small. */
const LOOK_EVERY_MS = 10_000

/** Whether the settings ask for TLS; what does not fit together, or cannot be used, is added to `problems`. */
export function checkServerTls(settings: ServerTlsSettings, problems: string[]): void {
  const { tlsCertFile: cert, tlsKeyFile: key, tlsClientCaFile: ca } = settings
  if (cert === undefined && key !== undefined) problems.push(`${CERT}: is needed with ${KEY}.`)
  if (cert !== undefined && key === undefined) problems.push(`${KEY}: is needed with ${CERT}.`)
  if (cert === undefined && ca !== undefined) problems.push(`${CERT}: is needed with ${CLIENT_CA}.`)
  if (cert === undefined || key === undefined) return
  try {
    read(settings)
  } catch (error) {
    problems.push((error as Error).message)
  }
}

/**
 * What the servers of the APIs show over TLS. The files are read again every 10 s and at SIGHUP, so that a
 * certificate that is renewed in place is shown without a restart; files that do not fit leave all as it was.
 */
export class ServerTls {
  private readonly listeners: ((context: TlsContext) => void)[] = []
  private readonly timer: NodeJS.Timeout
  private readonly look = () => this.reload()
  private context: TlsContext
  private complaint = ''

  private constructor(
    private readonly settings: ServerTlsSettings,
    private readonly logger: Pick<Logger, 'info' | 'error'>,
  ) {
    this.context = read(settings)
    this.timer = setInterval(this.look, LOOK_EVERY_MS).unref()
    process.on('SIGHUP', this.look)
  }

  /** Undefined where the settings name no certificate. */
  static of(settings: ServerTlsSettings, logger: Pick<Logger, 'info' | 'error'>): ServerTls | undefined {
    return settings.tlsCertFile === undefined ? undefined : new ServerTls(settings, logger)
  }

  get current(): TlsContext {
    return this.context
  }

  get minVersion(): TlsVersion {
    return this.settings.tlsMinVersion
  }

  onChange(listener: (context: TlsContext) => void): void {
    this.listeners.push(listener)
  }

  stop(): void {
    clearInterval(this.timer)
    process.off('SIGHUP', this.look)
  }

  private reload(): void {
    try {
      const next = read(this.settings)
      this.complaint = ''
      const { cert, key, ca } = this.context
      if (next.cert === cert && next.key === key && next.ca === ca) return
      this.context = next
      for (const listener of this.listeners) listener(next)
      this.logger.info({ until: new X509Certificate(next.cert).validTo }, 'another TLS certificate is shown')
    } catch (error) {
      // The certificate may be written before its key: said once, and looked at again.
      const { message } = error as Error
      if (message !== this.complaint)
        this.logger.error({ reason: message }, 'the TLS files are not usable: the old ones stay')
      this.complaint = message
    }
  }
}

/** Throws an Error that starts with the variable at fault. */
function read(settings: ServerTlsSettings): TlsContext {
  const [cert, certificate] = readPem(CERT, settings.tlsCertFile!, 'a certificate', certificateOf)
  const [key, privateKey] = readPem(KEY, settings.tlsKeyFile!, 'an unencrypted private key', createPrivateKey)
  if (!certificate.checkPrivateKey(privateKey)) throw new Error(`${KEY}: is not the key of the certificate of ${CERT}.`)
  const { tlsClientCaFile: path } = settings
  return path === undefined
    ? { cert, key }
    : { cert, key, ca: readPem(CLIENT_CA, path, 'a certificate', certificateOf)[0] }
}

const certificateOf = (pem: string) => new X509Certificate(pem)

function readPem<T>(variable: string, path: string, what: string, parse: (pem: string) => T): [string, T] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`${variable}: cannot read ${path} (${(error as NodeJS.ErrnoException).code}).`, { cause: error })
  }
  try {
    return [text, parse(text)]
  } catch (error) {
    throw new Error(`${variable}: ${path} does not hold ${what} in PEM.`, { cause: error })
  }
}

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readNamedFile } from './secret-files.js'

export const SASL_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
export type SaslMechanism = (typeof SASL_MECHANISMS)[number]

export const KAFKA_COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type KafkaCompression = (typeof KAFKA_COMPRESSIONS)[number]

/** How a client proves who it is to the brokers, and they to it. Empty: plain connections, no login. */
export interface KafkaSecurity {
  readonly sasl?: { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string }
  /** All in PEM. */
  readonly tls?: {
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    readonly serverName?: string
  }
}

/** The settings that it is made of. */
export interface KafkaSecuritySettings {
  readonly kafkaSaslMechanism?: SaslMechanism
  readonly kafkaSaslUsername?: string
  readonly kafkaSaslPassword?: string
  readonly kafkaTls: 'on' | 'off'
  readonly kafkaTlsCaFile?: string
  readonly kafkaTlsCertFile?: string
  readonly kafkaTlsKeyFile?: string
  readonly kafkaTlsServerName?: string
}

/** Reads the files and checks what belongs together; each problem starts with its variable. */
export function readKafkaSecurity(settings: KafkaSecuritySettings, problems: string[]): KafkaSecurity {
  const sasl = readSasl(settings, problems)
  const tls = readTls(settings, problems)
  return { ...(sasl ? { sasl } : {}), ...(tls ? { tls } : {}) }
}

function readSasl(settings: KafkaSecuritySettings, problems: string[]): KafkaSecurity['sasl'] {
  const { kafkaSaslMechanism: mechanism, kafkaSaslUsername: username, kafkaSaslPassword: password } = settings
  const given = { USERNAME: username, PASSWORD: password }
  for (const [name, value] of Object.entries(given)) {
    if (mechanism !== undefined && value === undefined)
      problems.push(`POSTHORN_KAFKA_SASL_${name}: is needed with POSTHORN_KAFKA_SASL_MECHANISM=${mechanism}.`)
    if (mechanism === undefined && value !== undefined)
      problems.push(`POSTHORN_KAFKA_SASL_MECHANISM: is needed with POSTHORN_KAFKA_SASL_${name}.`)
  }
  if (mechanism === undefined || username === undefined || password === undefined) return undefined
  return { mechanism, username, password }
}

function readTls(settings: KafkaSecuritySettings, problems: string[]): KafkaSecurity['tls'] {
  const { kafkaTlsCaFile, kafkaTlsCertFile, kafkaTlsKeyFile, kafkaTlsServerName: serverName } = settings
  const named = { CA_FILE: kafkaTlsCaFile, CERT_FILE: kafkaTlsCertFile, KEY_FILE: kafkaTlsKeyFile }
  if (settings.kafkaTls === 'off') {
    for (const [name, value] of Object.entries({ ...named, SERVER_NAME: serverName }))
      if (value !== undefined) problems.push(`POSTHORN_KAFKA_TLS: must be on with POSTHORN_KAFKA_TLS_${name}.`)
    return undefined
  }
  if (kafkaTlsCertFile !== undefined && kafkaTlsKeyFile === undefined)
    problems.push('POSTHORN_KAFKA_TLS_KEY_FILE: is needed with POSTHORN_KAFKA_TLS_CERT_FILE.')
  if (kafkaTlsKeyFile !== undefined && kafkaTlsCertFile === undefined)
    problems.push('POSTHORN_KAFKA_TLS_CERT_FILE: is needed with POSTHORN_KAFKA_TLS_KEY_FILE.')
  const ca = readPem('CA_FILE', kafkaTlsCaFile, 'a certificate', certificateOf, problems)
  const cert = readPem('CERT_FILE', kafkaTlsCertFile, 'a certificate', certificateOf, problems)
  const key = readPem('KEY_FILE', kafkaTlsKeyFile, 'an unencrypted private key', createPrivateKey, problems)
  if (cert && key && !cert.parsed.checkPrivateKey(key.parsed))
    problems.push("POSTHORN_KAFKA_TLS_KEY_FILE: is not the key of POSTHORN_KAFKA_TLS_CERT_FILE's certificate.")
  return {
    ...(ca ? { ca: ca.text } : {}),
    ...(cert && key ? { cert: cert.text, key: key.text } : {}),
    ...(serverName === undefined ? {} : { serverName }),
  }
}

const certificateOf = (pem: string) => new X509Certificate(pem)

function readPem<T>(
  name: string,
  path: string | undefined,
  what: string,
  parse: (pem: string) => T,
  problems: string[],
): { readonly text: string; readonly parsed: T } | undefined {
  if (path === undefined) return undefined
  const variable = `POSTHORN_KAFKA_TLS_${name}`
  const text = readNamedFile(variable, path, problems)
  if (text === undefined) return undefined
  try {
    return { text, parsed: parse(text) }
  } catch {
    problems.push(`${variable}: ${path} does not hold ${what} in PEM.`)
    return undefined
  }
}

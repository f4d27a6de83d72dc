import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

/** PEM; the key in PKCS 8, as Kafka and Node both read it. */
export interface IssuedCertificate {
  readonly cert: string
  readonly key: string
}

export interface TestAuthority {
  readonly ca: string
  /** `addresses` are IPv4 addresses that the certificate is for, beside the host names; `until` its end, ms since the epoch. */
  issue(commonName: string, hosts?: readonly string[], addresses?: readonly string[], until?: number): IssuedCertificate
}

/** A certificate authority of its own, for an hour or until `end` (ms since the epoch). Node can sign but not write certificates: hence the DER below. */
export function createAuthority(commonName: string, end?: number): TestAuthority {
  const keys = newKeys()
  const issuer = { name: commonName, key: keys.privateKey }
  const ca = certificate({ ...issuer, subject: commonName, publicKey: keys.publicKey, extensions: [CA], until: end })
  return {
    ca,
    issue: (subject, hosts = [], addresses = [], until) => {
      const { publicKey, privateKey } = newKeys()
      const names = [
        ...hosts.map(host => der(0x82, Buffer.from(host))),
        ...addresses.map(address => der(0x87, Buffer.from(address.split('.').map(Number)))),
      ]
      const extensions = names.length > 0 ? [extension('551d11', false, sequence(...names))] : []
      const cert = certificate({ ...issuer, subject, publicKey, extensions, until })
      return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
    },
  }
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

interface CertificateParts {
  readonly name: string
  readonly key: KeyObject
  readonly subject: string
  readonly publicKey: KeyObject
  readonly extensions: readonly Buffer[]
  readonly until?: number | undefined
}

/** X.509 version 3, by RFC 5280; ECDSA with SHA-256. */
function certificate({ name, key, subject, publicKey, extensions, until }: CertificateParts): string {
  const algorithm = sequence(identifier('2a8648ce3d040302'))
  const now = Date.now()
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(name),
    sequence(utcTime(Math.min(now, until ?? now) - 3600_000), utcTime(until ?? now + 3600_000)),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
  )
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, key)]))
  const lines = sequence(body, algorithm, signature)
    .toString('base64')
    .match(/.{1,64}/g)!
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts: readonly Buffer[]) => der(0x30, Buffer.concat(parts))
const integer = (bytes: Buffer) => der(0x02, bytes)
const identifier = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const distinguishedName = (commonName: string) =>
  sequence(der(0x31, sequence(identifier('550403'), der(0x0c, Buffer.from(commonName)))))
/** YYMMDDHHMMSSZ. */
const utcTime = (at: number) =>
  der(0x17, Buffer.from(`${new Date(at).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`))
const extension = (id: string, critical: boolean, value: Buffer) =>
  sequence(identifier(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value))

/** basicConstraints: a CA. */
const CA = extension('551d13', true, sequence(der(0x01, Buffer.from([0xff]))))

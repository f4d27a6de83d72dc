import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Problem } from './event.js'

/** What a webhook's connections are made with, in PEM. */
export interface ReceiverTls {
  /** Of these the receiver's certificate has to be; absent: of those that the deployment trusts. */
  readonly ca?: string
  /** What is shown to the receiver, with the intermediate certificates after it; never without its key. */
  readonly certificate?: string
  readonly key?: string
}

/** The same as kept and published: the key sealed by libs/sealing. */
export interface SealedTls extends Omit<ReceiverTls, 'key'> {
  readonly sealedKey?: string
}

/** What the sealed key is bound to. */
export function tlsKeyContext(webhook: string): string {
  return `${webhook} tls key`
}

export const TLS_MEMBERS = ['ca', 'certificate', 'key'] as const
type Member = (typeof TLS_MEMBERS)[number]

/** They are in memory wherever the webhook is, and are parsed for each version of it. */
export const MAX_PEM = 32_768
/** Each is tried against the receiver's; a chain is sent with every handshake. */
export const MAX_CERTIFICATES = 16
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

const fault = (member: Member, message: string): Problem[] => [{ pointer: `/${member}`, message }]

/** Faults of one member by itself at `now` (ms). No message repeats a value: it could be a key in the wrong place. */
export function tlsMemberFaults(member: Member, value: unknown, now: number): Problem[] {
  if (typeof value !== 'string' || value === '' || value.length > MAX_PEM)
    return fault(member, `must be PEM of at most ${MAX_PEM} characters`)
  return member === 'key' ? keyFaults(value) : certificatesFaults(member, value, now)
}

function certificatesFaults(member: Member, text: string, now: number): Problem[] {
  if (/PRIVATE KEY/.test(text))
    return fault(member, 'holds a private key: it is for certificates, the key goes into key')
  const blocks = text.match(CERTIFICATE) ?? []
  if (blocks.length === 0) return fault(member, 'must hold a certificate in PEM')
  if (blocks.length > MAX_CERTIFICATES)
    return fault(member, `must hold at most ${MAX_CERTIFICATES} certificates, and has ${blocks.length}`)
  if (text.replace(CERTIFICATE, '').includes('-----'))
    return fault(member, 'has something in PEM that is no whole certificate')
  return blocks.flatMap((block, index) => certificateFaults(member, block, index + 1, now))
}

function certificateFaults(member: Member, block: string, number: number, now: number): Problem[] {
  const certificate = readCertificate(block)
  if (!certificate) return fault(member, `cannot be read: certificate ${number} of it is damaged`)
  const { validToDate, validFromDate } = certificate
  if (validToDate.getTime() <= now)
    return fault(member, `certificate ${number} of it has expired at ${validToDate.toISOString()}`)
  if (member === 'certificate' && validFromDate.getTime() > now)
    return fault(member, `certificate ${number} of it is not valid before ${validFromDate.toISOString()}`)
  return []
}

function keyFaults(text: string): Problem[] {
  if (/ENCRYPTED/.test(text)) return fault('key', 'is encrypted: give it without a passphrase, it is kept sealed')
  return readKey(text) ? [] : fault('key', 'must be a private key in PEM, such as PKCS 8')
}

/** Faults of the whole, whose members are without fault by themselves. */
export function tlsPairFaults({ ca, certificate, key }: ReceiverTls): Problem[] {
  if (certificate !== undefined && key === undefined) return fault('key', 'is required beside certificate')
  if (certificate === undefined && key !== undefined) return fault('certificate', 'is required beside key')
  if (certificate !== undefined && !readCertificate(certificate)!.checkPrivateKey(readKey(key!)!))
    return fault('key', 'is not that of the first certificate in certificate')
  try {
    createSecureContext({ ca, cert: certificate, key })
    return []
  } catch {
    // OpenSSL takes no key that is too short, and none of a kind that cannot sign.
    return fault(
      certificate === undefined ? 'ca' : 'certificate',
      'is of a kind or a key length that TLS does not take',
    )
  }
}

/** In one form, whatever line ends and remarks it came with. */
export function plainTls({ ca, certificate, key }: ReceiverTls): ReceiverTls {
  return {
    ...(ca === undefined ? {} : { ca: plainCertificates(ca) }),
    ...(certificate === undefined ? {} : { certificate: plainCertificates(certificate) }),
    ...(key === undefined ? {} : { key: readKey(key)!.export({ type: 'pkcs8', format: 'pem' }).toString() }),
  }
}

const plainCertificates = (text: string) =>
  text
    .match(CERTIFICATE)!
    .map(block => readCertificate(block)!.toString())
    .join('')

function readCertificate(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block)
  } catch {
    return undefined
  }
}

function readKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text)
  } catch {
    return undefined
  }
}

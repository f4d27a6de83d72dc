import type { NetworkCause } from '@posthorn/webhook'
import { AddressRefused } from './address-guard.js'
import { ReceiverUnreachable } from './proxy.js'
import { SendTimeout } from './time-outs.js'

/** How far a request had come when it failed. */
export type Phase = 'connecting' | 'sent'

const BY_CODE: Readonly<Record<string, NetworkCause>> = {
  UND_ERR_CONNECT_TIMEOUT: 'connect_timeout',
  ETIMEDOUT: 'connect_timeout',
  ECONNREFUSED: 'connect',
  EHOSTUNREACH: 'connect',
  ENETUNREACH: 'connect',
  EADDRNOTAVAIL: 'connect',
  UND_ERR_HEADERS_OVERFLOW: 'protocol',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'reset',
  EPROTO: 'tls',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'tls_version',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'tls_version',
  CERT_HAS_EXPIRED: 'certificate_expired',
  CERT_NOT_YET_VALID: 'certificate_expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate_name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate_untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate_untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate_untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate_untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate_untrusted',
}

/** Alerts by which a receiver refuses a client certificate, or the lack of one. */
const CLIENT_CERTIFICATE =
  /_ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(REQUIRED|EXPIRED|REVOKED|UNKNOWN)|UNKNOWN_CA|ACCESS_DENIED)$/

/** Maps what undici, node:net, node:tls or node:dns rejected with. */
export function networkCause(error: Error, phase: Phase, secure: boolean): NetworkCause {
  if (error instanceof AddressRefused) return error.refusal
  if (error instanceof SendTimeout || error instanceof ReceiverUnreachable) return error.reason
  const { code = '', syscall } = error as NodeJS.ErrnoException
  const known = BY_CODE[code]
  if (known) return known
  if (syscall === 'getaddrinfo' || code.startsWith('EAI_')) return 'dns'
  if (CLIENT_CERTIFICATE.test(code)) return 'client_certificate'
  if (code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL')) return 'tls'
  // Its codes are not always there. An end of the connection within the answer is its business too.
  if (error.name === 'HTTPParserError') return /\bEOF\b/.test(error.message) ? 'reset' : 'protocol'
  // undici's only sign of an answer that no request asked for, of an unasked upgrade, and of 100 Continue.
  if (code === 'UND_ERR_SOCKET' && /^bad (response|upgrade)/.test(error.message)) return 'protocol'
  // What is left of a TLS handshake are OpenSSL's many codes for certificates, and a peer that hangs up.
  if (phase === 'connecting') return secure ? 'tls' : 'connect'
  return 'reset'
}

/** One line for the attempt record: what happened, without addresses of other parties. */
export function describe(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  // Node's AggregateError (all addresses of a host failed) has an empty message.
  const inner = error instanceof AggregateError ? (error.errors as Error[]).map(one => one.message).join('; ') : ''
  const text = error.message || inner || error.name
  return (code !== undefined && !text.includes(code) ? `${text} (${code})` : text).slice(0, 300)
}

import type { KafkaSecurity } from '@posthorn/process'
import type { KafkaConfig, SASLOptions } from 'kafkajs'

/** The brokers answer and do not let us in, or we do not trust them: waiting does not help, the message says what does. */
export class KafkaAccessRefused extends Error {
  override readonly name = 'KafkaAccessRefused'
}

/** The brokers close the connection without a word: they restart, or want TLS or a login; the message names the settings. */
export class KafkaConnectionClosed extends Error {
  override readonly name = 'KafkaConnectionClosed'
}

const CHECK_CA =
  "The brokers' certificate is not signed by a CA that is trusted here: set POSTHORN_KAFKA_TLS_CA_FILE to the CA that signed it"
const SHOW_CERTIFICATE =
  'The brokers want a client certificate that they trust: set POSTHORN_KAFKA_TLS_CERT_FILE and POSTHORN_KAFKA_TLS_KEY_FILE'
const NO_TLS_THERE =
  'The brokers do not speak TLS on this port: set POSTHORN_KAFKA_TLS=off, or POSTHORN_KAFKA_BROKERS to their TLS port'

/** By `code` of the connection error, as Node and OpenSSL give it. */
const TLS_CODES: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: CHECK_CA,
  SELF_SIGNED_CERT_IN_CHAIN: CHECK_CA,
  UNABLE_TO_GET_ISSUER_CERT: CHECK_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: CHECK_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: CHECK_CA,
  CERT_SIGNATURE_FAILURE: CHECK_CA,
  CERT_HAS_EXPIRED: "The brokers' certificate has expired: renew it",
  CERT_NOT_YET_VALID: "The brokers' certificate is not valid yet: compare the clocks",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "The brokers' certificate is for another name: set POSTHORN_KAFKA_TLS_SERVER_NAME to a name that it has, or use that name in POSTHORN_KAFKA_BROKERS",
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS_THERE,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS_THERE,
}

/** By `type`, the protocol's name of the error. */
const PROTOCOL_TYPES: Readonly<Record<string, string>> = {
  ILLEGAL_SASL_STATE:
    'The brokers take no login on this port: unset the POSTHORN_KAFKA_SASL_ variables, or set POSTHORN_KAFKA_BROKERS to a port with logins',
  UNSUPPORTED_SASL_MECHANISM: 'The brokers do not offer this mechanism: change POSTHORN_KAFKA_SASL_MECHANISM',
  SASL_AUTHENTICATION_FAILED:
    'The brokers refuse the login: check POSTHORN_KAFKA_SASL_USERNAME, _PASSWORD and _MECHANISM',
  TOPIC_AUTHORIZATION_FAILED: 'The user may not use a topic: give it the ACLs of docs/kafka.md',
  GROUP_AUTHORIZATION_FAILED: 'The user may not use a consumer group: give it the ACLs of docs/kafka.md',
  CLUSTER_AUTHORIZATION_FAILED: 'The user may not do this on the cluster: give it the ACLs of docs/kafka.md',
}

/** By number, of RFC 8446: bad, unknown, of an unknown CA, missing. OpenSSL's names for them change with its version. */
const CERTIFICATE_ALERTS = new Set(['42', '46', '48', '116'])

/** What to do about an error that is a matter of credentials, trust or ACLs; undefined for every other. */
export function accessProblem(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { name, message, code, type } = at as Error & { readonly code?: unknown; readonly type?: unknown }
    const advice =
      TLS_CODES[String(code)] ?? PROTOCOL_TYPES[String(type)] ?? adviceOnAlert(message) ?? adviceOnLogin(name, message)
    if (advice !== undefined) return `${advice} (${message.trim()}).`
  }
  return undefined
}

/**
 * What may be the matter when brokers close the connection without a word, as they do when plain
 * text comes where TLS is wanted, and the other way round. One that restarts does so, too.
 */
export function closedHint(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause)
    if (at.name === 'KafkaJSConnectionClosedError' || at.message.includes('before secure TLS connection'))
      return (
        'Kafka closes the connection at once: when that does not pass, its port wants TLS, or none, or a login ' +
        '(POSTHORN_KAFKA_TLS=on or off, POSTHORN_KAFKA_SASL_MECHANISM)'
      )
  return undefined
}

function adviceOnAlert(message: string): string | undefined {
  const number = /SSL alert number (\d+)/.exec(message)?.[1]
  return number !== undefined && CERTIFICATE_ALERTS.has(number) ? SHOW_CERTIFICATE : undefined
}

/** kafkajs has one class for a wrong password and for a mechanism that the broker does not offer. */
function adviceOnLogin(name: string, message: string): string | undefined {
  if (name !== 'KafkaJSSASLAuthenticationError') return undefined
  return PROTOCOL_TYPES[message.includes('not supported') ? 'UNSUPPORTED_SASL_MECHANISM' : 'SASL_AUTHENTICATION_FAILED']
}

/** The part of kafkajs's configuration that says who we are and whom we trust. */
export function accessOptions({ sasl, tls }: KafkaSecurity): Pick<KafkaConfig, 'sasl' | 'ssl'> {
  return {
    ...(sasl ? { sasl: saslOptions(sasl) } : {}),
    ...(tls
      ? {
          ssl: {
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.cert === undefined ? {} : { cert: tls.cert, key: tls.key }),
            ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
          },
        }
      : {}),
  }
}

function saslOptions({ mechanism, username, password }: NonNullable<KafkaSecurity['sasl']>): SASLOptions {
  switch (mechanism) {
    case 'PLAIN':
      return { mechanism: 'plain', username, password }
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', username, password }
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', username, password }
  }
}

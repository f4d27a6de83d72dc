/** What came back from the wire. A customer's failure is this value, never an exception. */
export type SendResult =
  | { readonly kind: 'response'; readonly status: number; readonly retryAfter?: string }
  | { readonly kind: 'failed'; readonly cause: NetworkCause; readonly detail: string }

export type NetworkCause =
  | 'timeout'
  | 'dns_timeout'
  | 'connect_timeout'
  | 'tls_timeout'
  | 'first_byte_timeout'
  | 'dns'
  | 'connect'
  | 'tls'
  | 'tls_version'
  | 'certificate_expired'
  | 'certificate_name'
  | 'certificate_untrusted'
  | 'client_certificate'
  | 'reset'
  | 'address_refused'
  | 'address_unlisted'
  | 'port_refused'
  | 'protocol'

/** S11: client, server or network, and what kind of it. */
export type FailureClass =
  | 'client.validation'
  | 'client.authentication'
  | 'client.rate_limit'
  | 'server.processing'
  | 'server.database'
  | 'server.resource'
  | 'network.timeout'
  | 'network.connection'
  | 'network.retry'

/** The judgement of one attempt, before the retry policy is asked. */
export type Verdict =
  | { readonly kind: 'success' }
  | { readonly kind: 'gone'; readonly class: FailureClass; readonly advice: string }
  | { readonly kind: 'failure'; readonly class: FailureClass; readonly advice: string; readonly retryAfterMs?: number }

/** Retry-After longer than a day is not obeyed: the policy's own delay is used. */
const MAX_RETRY_AFTER_MS = 24 * 3600_000

/** Judges what came back; `now` (ms) turns a Retry-After date into a delay. */
export function judge(result: SendResult, now: number): Verdict {
  if (result.kind === 'failed') return { kind: 'failure', ...NETWORK[result.cause] }
  const { status } = result
  if (status >= 200 && status < 300) return { kind: 'success' }
  if (status === 410)
    return {
      kind: 'gone',
      class: 'client.validation',
      advice:
        'The receiver answered 410 Gone: it wants no more events, and the webhook is stopped. Register it again when the receiver is back.',
    }
  const retryAfterMs = status === 429 || status === 503 ? parseRetryAfter(result.retryAfter, now) : undefined
  return { kind: 'failure', ...classifyStatus(status), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

/** Delay in ms that a Retry-After header (seconds, or an HTTP date) asks for; undefined when unusable. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : parseHttpDate(text) - now
  return ms <= MAX_RETRY_AFTER_MS ? Math.max(0, ms) : undefined
}

/** The three forms of RFC 9110; all are GMT, but asctime does not say so and would be read as local time. NaN for others. */
function parseHttpDate(text: string): number {
  if (/^[A-Za-z]{3,9}, .* GMT$/.test(text)) return Date.parse(text)
  return /^[A-Za-z]{3} [A-Za-z]{3} .*\d$/.test(text) ? Date.parse(`${text} GMT`) : Number.NaN
}

function classifyStatus(status: number): { class: FailureClass; advice: string } {
  switch (status) {
    case 401:
    case 403:
    case 407:
      return {
        class: 'client.authentication',
        advice: `The receiver answered ${status}: it did not accept the request's credentials. Check that it verifies with the webhook's current secret.`,
      }
    case 429:
      return {
        class: 'client.rate_limit',
        advice:
          'The receiver answered 429: it is asked too often. Set a rate limit on the webhook, or let the receiver take more.',
      }
    case 408:
    case 425:
      return {
        class: 'network.retry',
        advice: `The receiver answered ${status}: it asks for the request again. It is sent again by the retry policy.`,
      }
    case 404:
    case 405:
      return {
        class: 'client.validation',
        advice: `The receiver answered ${status}: check the path of the webhook's URL and that it accepts the webhook's method.`,
      }
    case 413:
      return {
        class: 'client.validation',
        advice:
          'The receiver answered 413: the payload is larger than it takes. Raise the limit of the receiver or of the proxy before it.',
      }
    case 507:
      return {
        class: 'server.database',
        advice: 'The receiver answered 507: it could not store the event. Check its database and disk.',
      }
    case 502:
    case 503:
    case 504:
    case 509:
      return {
        class: 'server.resource',
        advice: `The receiver answered ${status}: it, or the proxy before it, is overloaded or down. Check its health and capacity.`,
      }
  }
  if (status >= 300 && status < 400)
    return {
      class: 'client.validation',
      advice: `The receiver answered ${status}: redirects are not followed. Register the final URL.`,
    }
  if (status >= 400 && status < 500)
    return {
      class: 'client.validation',
      advice: `The receiver answered ${status}: it refused the request. Compare the payload with what it expects; its answer is on the attempt.`,
    }
  return {
    class: 'server.processing',
    advice: `The receiver answered ${status}: it failed while handling the event. Look for the webhook-id in its logs.`,
  }
}

const NETWORK: { readonly [C in NetworkCause]: { readonly class: FailureClass; readonly advice: string } } = {
  timeout: {
    class: 'network.timeout',
    advice:
      'The receiver did not answer in time. Answer 2xx first and work afterwards, or raise the time-out of the webhook.',
  },
  dns_timeout: {
    class: 'network.timeout',
    advice:
      "The host name of the webhook's URL was not resolved in time. Check that its name servers answer; the operator sets the time by POSTHORN_EGRESS_DNS_TIMEOUT_MS.",
  },
  connect_timeout: {
    class: 'network.timeout',
    advice:
      'The receiver did not take the connection in time. Check that it runs and that no firewall drops these requests; the operator sets the time by POSTHORN_EGRESS_CONNECT_TIMEOUT_MS.',
  },
  tls_timeout: {
    class: 'network.timeout',
    advice:
      'The receiver took the connection and did not end the TLS handshake in time. Check that it speaks TLS on this port and is not overloaded; the operator sets the time by POSTHORN_EGRESS_TLS_TIMEOUT_MS.',
  },
  first_byte_timeout: {
    class: 'network.timeout',
    advice:
      'The receiver took the request and did not begin to answer in time. Answer 2xx first and work afterwards; the operator sets the time by POSTHORN_EGRESS_FIRST_BYTE_TIMEOUT_MS.',
  },
  dns: {
    class: 'network.connection',
    advice: "The host name of the webhook's URL could not be resolved. Check its spelling and its DNS records.",
  },
  connect: {
    class: 'network.connection',
    advice:
      'No connection could be made to the receiver. Check that it runs, listens on this port and lets these requests through its firewall.',
  },
  tls: {
    class: 'network.connection',
    advice:
      'The TLS handshake failed. Check that the receiver speaks TLS on this port, and try it with a browser or openssl s_client.',
  },
  tls_version: {
    class: 'network.connection',
    advice:
      'The receiver speaks no version of TLS that is new enough. Let it speak TLS 1.2 or 1.3, or lower min_tls_version of the webhook if it asks for more than that.',
  },
  certificate_expired: {
    class: 'network.connection',
    advice:
      "The receiver's certificate has expired or is not valid yet. Renew it, let the server load the new one, and check that server's clock.",
  },
  certificate_name: {
    class: 'network.connection',
    advice:
      "The receiver's certificate is for another host name. Use the name that stands in it in the webhook's URL, or have one issued for this name.",
  },
  certificate_untrusted: {
    class: 'network.connection',
    advice:
      "The receiver's certificate leads to no CA that is trusted. Use one of a public CA and send the intermediate certificates with it; for a CA of your own give it as tls.ca of the webhook, or set POSTHORN_EGRESS_CA_FILE.",
  },
  client_certificate: {
    class: 'client.authentication',
    advice:
      "The receiver asks for a client certificate and did not accept what it got. Set tls.certificate and tls.key of the webhook to one that it trusts and that has not expired, or let it trust that certificate's CA.",
  },
  reset: {
    class: 'network.retry',
    advice:
      'The connection ended before the answer was complete. The receiver may have seen the event: it should drop a webhook-id that it has handled. Where it closes idle connections after less than 4 s, let it say so by Keep-Alive: timeout.',
  },
  address_refused: {
    class: 'network.connection',
    advice:
      "The webhook's URL leads to an address that this deployment does not send to (loopback, private, reserved or denied). Use a public address, or let the operator change POSTHORN_EGRESS_ALLOW and POSTHORN_EGRESS_DENY.",
  },
  address_unlisted: {
    class: 'network.connection',
    advice:
      "The webhook's URL leads to an address outside of its own allowed_cidrs or within its denied_cidrs. Correct these, or the DNS records of the host.",
  },
  port_refused: {
    class: 'network.connection',
    advice:
      'This deployment does not send to the port of the URL. Use 443, 80 or one from 1024, or let the operator change POSTHORN_EGRESS_PORTS.',
  },
  protocol: {
    class: 'network.connection',
    advice:
      'The receiver did not answer in valid HTTP, or sent larger headers than are read. Check that the port speaks HTTP and the scheme (http or https) fits.',
  },
}

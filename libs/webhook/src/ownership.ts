import { MAX_RATE, spacingOf, type RateLimit } from './rate-limit.js'
import { judge, type SendResult } from './verdict.js'

/** What a receiver has said to the handshake, so far. Times are RFC 3339. */
export interface Ownership {
  /** Null: it has not agreed yet. */
  readonly verifiedAt: string | null
  /** Requests a minute that it permits; null: as many as there are. */
  readonly allowedRate: number | null
  /** Handshakes since the webhook has this URL. */
  readonly attempts: number
  readonly lastAt: string
  readonly statusCode: number | null
  /** What was wrong the last time, and what to do; null once it has agreed. */
  readonly error: string | null
  readonly advice: string | null
}

/** Headers of an answer that count, in lower case. */
export const HANDSHAKE_ANSWER_HEADERS = ['webhook-allowed-origin', 'webhook-allowed-rate'] as const
export const ORIGIN_HEADER = 'webhook-request-origin'

export type HandshakeResult = SendResult & { readonly headers?: Readonly<Record<string, string>> }

/** Asks whether this sender, and so many requests a minute, are welcome (CloudEvents HTTP 1.1 Web Hooks, section 4). */
export function handshakeHeaders(origin: string, rateLimit: RateLimit | null): Record<string, string> {
  if (rateLimit === null) return { [ORIGIN_HEADER]: origin }
  const perMinute = Math.max(1, Math.floor(60_000 / spacingOf(rateLimit)))
  return { [ORIGIN_HEADER]: origin, 'webhook-request-rate': String(perMinute) }
}

/** What the answer comes to. A status alone is no consent: many servers answer every OPTIONS with 200. */
export function judgeHandshake(
  result: HandshakeResult,
  origin: string,
  before: Ownership | null,
  now: number,
): Ownership {
  const said = {
    attempts: (before?.attempts ?? 0) + 1,
    lastAt: new Date(now).toISOString(),
    statusCode: result.kind === 'response' ? result.status : null,
  }
  const refusal = refusalOf(result, origin, now)
  if (refusal) return { verifiedAt: null, allowedRate: null, ...said, ...refusal }
  const rate = result.kind === 'response' ? result.headers?.['webhook-allowed-rate']?.trim() : undefined
  const allowedRate = rate === undefined || rate === '*' ? null : Number(rate)
  return { verifiedAt: said.lastAt, allowedRate, ...said, error: null, advice: null }
}

interface Refusal {
  readonly error: string
  readonly advice: string
}

function refusalOf(result: HandshakeResult, origin: string, now: number): Refusal | undefined {
  if (result.kind === 'failed') return { error: result.detail, advice: adviceOf(result, now) }
  const { status, headers = {} } = result
  const consent = `Let it answer OPTIONS with 200 and WebHook-Allowed-Origin: ${origin}, without asking for authentication.`
  if (status >= 300 && status < 400) return { error: `answered OPTIONS with ${status}`, advice: adviceOf(result, now) }
  if (status < 200 || status >= 300) return { error: `answered OPTIONS with ${status}`, advice: consent }
  const allowed = headers['webhook-allowed-origin']?.trim()
  if (allowed === undefined) return { error: 'answered OPTIONS without WebHook-Allowed-Origin', advice: consent }
  if (allowed !== '*' && allowed.toLowerCase() !== origin.toLowerCase())
    return {
      error: `allows the origin "${allowed.slice(0, 100)}", and this one is "${origin}"`,
      advice: `Let WebHook-Allowed-Origin be ${origin}, which the request names in WebHook-Request-Origin, or *.`,
    }
  const rate = headers['webhook-allowed-rate']?.trim() ?? '*'
  if (rate !== '*' && !/^[1-9]\d{0,8}$/.test(rate))
    return {
      error: `answered with the WebHook-Allowed-Rate "${rate.slice(0, 100)}"`,
      advice: 'Let WebHook-Allowed-Rate be * or a whole number from 1: requests a minute.',
    }
  return undefined
}

function adviceOf(result: SendResult, now: number): string {
  const verdict = judge(result, now)
  return verdict.kind === 'success' ? '' : verdict.advice
}

const FIRST_DELAY_MS = 10_000
const FACTOR = 3
const MAX_DELAY_MS = 6 * 3600_000
/** Some three days by these delays: after that nobody asks again unless a person wants it. */
const MAX_ATTEMPTS = 20

/** Until the next handshake after so many in vain; undefined: no more by itself. */
export function handshakeDelayMs(attempts: number): number | undefined {
  if (attempts >= MAX_ATTEMPTS) return undefined
  return Math.min(FIRST_DELAY_MS * FACTOR ** (attempts - 1), MAX_DELAY_MS)
}

/** The lower of the webhook's own limit and what its receiver permits. */
export function permittedRate(own: RateLimit | null, allowedRate: number | null): RateLimit | null {
  if (allowedRate === null) return own
  const allowed: RateLimit =
    allowedRate <= MAX_RATE
      ? { requests: allowedRate, per: 'minute' }
      : { requests: Math.min(Math.floor(allowedRate / 60), MAX_RATE), per: 'second' }
  return own !== null && spacingOf(own) >= spacingOf(allowed) ? own : allowed
}

import type { NetworkCause, SendResult } from './verdict.js'

/**
 * What an attempt says about its webhook, beyond its own delivery: that it answers, that it has too
 * much to do (429, 503, no answer in time, connections refused), or that it is broken (any other 5xx,
 * any other failure of the network).
 */
export type Reaction = 'fine' | 'overloaded' | 'failing'

const OVERLOADED: readonly NetworkCause[] = [
  'timeout',
  'dns_timeout',
  'connect_timeout',
  'tls_timeout',
  'first_byte_timeout',
  'connect',
]

/** A refusal such as 400 or 404 is an answer: the webhook is well. */
export function reactionOf(result: SendResult): Reaction {
  if (result.kind === 'failed') return OVERLOADED.includes(result.cause) ? 'overloaded' : 'failing'
  if (result.status === 429 || result.status === 503) return 'overloaded'
  return result.status >= 500 ? 'failing' : 'fine'
}

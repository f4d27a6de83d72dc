import type { SendResult } from './verdict.js'

/**
 * What an attempt says about its webhook, beyond its own delivery: that it answers, that it has too
 * much to do (429, 503, no answer in time, connections refused), or that it is broken (any other 5xx,
 * any other failure of the network).
 */
export type Reaction = 'fine' | 'overloaded' | 'failing'

/** A refusal such as 400 or 404 is an answer: the webhook is well. */
export function reactionOf(result: SendResult): Reaction {
  if (result.kind === 'failed')
    return result.cause === 'timeout' || result.cause === 'connect' ? 'overloaded' : 'failing'
  if (result.status === 429 || result.status === 503) return 'overloaded'
  return result.status >= 500 ? 'failing' : 'fine'
}

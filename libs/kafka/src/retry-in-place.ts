import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '@posthorn/telemetry'
import { accessProblem } from './access.js'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 1000
/** Kafka away for an hour is 120 lines, not 3,600. */
const LOG_EVERY_MS = 30_000

/**
 * Tries until it works: infrastructure that is away is waited for, never given up on. Rejects only
 * with the reason of `stop`. `what` completes "cannot …".
 */
export async function retryInPlace<T>(
  what: string,
  logger: Logger,
  attempt: () => Promise<T>,
  stop?: AbortSignal,
): Promise<T> {
  let wait = FIRST_WAIT_MS
  let loggedAt = -Infinity
  for (;;) {
    stop?.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      stop?.throwIfAborted()
      if (performance.now() - loggedAt > LOG_EVERY_MS) {
        loggedAt = performance.now()
        const problem = accessProblem(error)
        if (problem !== undefined) logger.error(`cannot ${what}: ${problem}`)
        else logger.warn({ err: error }, `cannot ${what}: trying until it works`)
      }
      await sleep(wait, undefined, { signal: stop }).catch(() => undefined)
      wait = Math.min(wait * 2, LONGEST_WAIT_MS)
    }
  }
}

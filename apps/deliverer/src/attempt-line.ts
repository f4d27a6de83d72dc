import type { Logger } from '@posthorn/telemetry'
import type { Attempt } from '@posthorn/topics'
import { isDeadLetter, tierFor, type Outcome } from '@posthorn/webhook'
import type { Ended } from './record.js'
import type { Work } from './work.js'

/** Tells of attempts. */
export interface AttemptLines {
  attempted(work: Work, ended: Ended): void
}

/**
 * One wide line per attempt with every decision about it. Failures are at level info: a webhook that
 * only fails is soon only probed. Of what was delivered the share `deliveredRatio` (0 to 1) is, and the rest is
 * at debug, since nobody reads thousands of them a second.
 */
export function attemptLines(logger: Logger, deliveredRatio: number, chance: () => number): AttemptLines {
  // No field of a line is a secret; looking for some cost half of it.
  const plain = logger.child({}, { redact: [] })
  return {
    attempted(work, ended) {
      const { kind } = ended.outcome
      const level = kind !== 'delivered' || chance() < deliveredRatio ? 'info' : 'debug'
      if (plain.isLevelEnabled(level)) plain[level](lineOf(work, ended), `attempt ${kind}`)
    },
  }
}

/** Without the URL and the answer: both may carry what does not belong in a log. */
function lineOf(work: Work, { outcome, attempt, now }: Ended): object {
  const { url: _url, response_body: _body, event, ...line } = attempt
  return {
    ...line,
    event_id: event.id,
    event_source: event.source,
    event_type: event.type,
    event_time: event.time,
    event_bytes: work.data.length,
    late_ms: Math.max(0, Date.parse(attempt.started_at) - Date.parse(attempt.due_at)),
    ...whereItCameFrom(work),
    ...howItsTurnCame(work),
    ...whatComesNext(outcome, attempt, now),
  }
}

function whereItCameFrom({ lane, partition, record: { offset }, delivery: { spills } }: Work) {
  return { lane, partition, offset, spills }
}

/** Of the webhook at the moment at which the attempt began, with this attempt. */
function howItsTurnCame({ turn }: Work) {
  if (turn === undefined) return {}
  const { queuedMs, requests, requestsAtMost, circuit, held } = turn
  return {
    queued_ms: queuedMs,
    requests,
    requests_at_most: requestsAtMost,
    circuit,
    ...(held === undefined ? {} : { held_by: held.by, held_ms: held.ms }),
  }
}

function whatComesNext(outcome: Outcome, { next }: Attempt, now: number) {
  if (outcome.kind !== 'retry') return { dead_letter: isDeadLetter(outcome.kind) }
  return next === 'tier' ? { tier: tierFor(outcome.due - now).name } : {}
}

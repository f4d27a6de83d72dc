import type { Attempt } from '@posthorn/topics'

/** A request as the receiver saw it; times here are ms since the epoch, all by the clock of one machine. */
export interface Request {
  readonly at: number
  readonly status: number
}

/** A record of attempts.v1, and when the log took it. */
export interface Recorded {
  readonly attempt: Attempt
  readonly appendedAt: number
}

/**
 * What was done to a process. A request that was under way, or answered and not recorded, at some
 * moment from `from` to `to` may be sent again; nothing else may.
 */
export interface Fault {
  readonly what: 'killed' | 'frozen' | 'rebalanced'
  readonly target: string
  readonly pid?: number
  readonly from: number
  readonly to: number
}

/** What the requests of some deliveries came to, against what attempts.v1 says about them. */
export interface Audit {
  readonly deliveries: number
  readonly requests: number
  readonly attempts: number
  /** Deliveries that never got a 2xx. */
  readonly missing: readonly string[]
  /** How late each retry arrived after its due time, ms, ascending. */
  readonly retryLateness: readonly number[]
  /** Retries before their due time. */
  readonly early: readonly string[]
  /** Requests sent again because the one before was in flight at a fault. */
  readonly inFlight: number
  /** Requests sent again for no such reason: a broken promise, each with what is known about it. */
  readonly unexplained: readonly string[]
  /** Requests that attempts.v1 does not know, although no fault hit their deliverer. */
  readonly unrecorded: readonly string[]
  /** Attempts that attempts.v1 has and that never arrived. */
  readonly unsent: readonly string[]
}

/** Clocks are read in different processes and cut to whole milliseconds. */
const TOLERANCE_MS = 1
/** The receiver may look at a request later than it arrived; until a new deliverer sends, more time passes. */
const SEEN_LATE_MS = 500

/** Only a fault of a deliverer can have one of its requests sent again: all other repeats, it has to drop. */
const SENDER = 'deliverer'

/** Notes every request and every fault, and holds them against attempts.v1 afterwards. */
export class Ledger {
  readonly faults: Fault[] = []
  private readonly requests = new Map<string, Request[]>()

  received(delivery: string, request: Request): void {
    const requests = this.requests.get(delivery)
    if (requests) requests.push(request)
    else this.requests.set(delivery, [request])
  }

  fault(fault: Fault): void {
    this.faults.push(fault)
  }

  /** Requests so far. */
  count(delivery: string): number {
    return this.requests.get(delivery)?.length ?? 0
  }

  isDelivered(delivery: string): boolean {
    return this.requests.get(delivery)?.some(({ status }) => status < 300) === true
  }

  missing(deliveries: readonly string[]): string[] {
    return deliveries.filter(id => !this.isDelivered(id))
  }

  /** `records` is the whole of attempts.v1; what is not about `deliveries` is left aside. */
  audit(deliveries: readonly string[], records: readonly Recorded[]): Audit {
    const byDelivery = new Map<string, Recorded[]>(deliveries.map(id => [id, []]))
    for (const record of records) byDelivery.get(record.attempt.delivery)?.push(record)
    const counts = { requests: 0, attempts: 0, inFlight: 0 }
    const lists = { early: [] as string[], unexplained: [] as string[], unrecorded: [] as string[] }
    const unsent: string[] = []
    const retryLateness: number[] = []
    for (const [delivery, recorded] of byDelivery) {
      const { sent, unmatched } = match(this.requests.get(delivery) ?? [], recorded)
      counts.requests += sent.length
      counts.attempts += recorded.length
      for (const { attempt } of unmatched)
        if (attempt.status_code !== undefined) unsent.push(`${delivery}/${attempt.attempt} at ${attempt.started_at}`)
      sent.forEach((request, at) => {
        if (!request.record && !this.faultAt(request)) lists.unrecorded.push(describe(delivery, sent, this.faults))
        if (at === 0) return
        const reason = this.reasonFor(sent[at - 1]!, request)
        if (reason.kind === 'retry') retryLateness.push(reason.lateMs)
        else if (reason.kind === 'in_flight') counts.inFlight++
        else lists[reason.kind].push(describe(delivery, sent, this.faults))
      })
    }
    retryLateness.sort((one, other) => one - other)
    const missing = this.missing(deliveries)
    return { deliveries: deliveries.length, ...counts, ...lists, missing, retryLateness, unsent }
  }

  private reasonFor(before: Sent, request: Sent): Reason {
    const due = before.record?.attempt.next_attempt_at
    const follows = request.record?.attempt.attempt === undefined || isNext(before.record, request.record)
    if (due !== undefined && follows) {
      const lateMs = request.at - Date.parse(due)
      return lateMs < 0 ? { kind: 'early' } : { kind: 'retry', lateMs }
    }
    return this.faultAt(before) || this.sentLate(request) ? { kind: 'in_flight' } : { kind: 'unexplained' }
  }

  /** A fault that found this request on its way, or not recorded yet. */
  private faultAt({ at, record }: Sent): Fault | undefined {
    return this.faults.find(
      ({ target, from, to }) =>
        target === SENDER && at - SEEN_LATE_MS <= to && from <= (record?.appendedAt ?? Number.POSITIVE_INFINITY),
    )
  }

  /** Begun before its process was frozen, ended after. */
  private sentLate({ at, record }: Sent): boolean {
    if (!record) return false
    const startedAt = Date.parse(record.attempt.started_at)
    return this.faults.some(
      ({ what, target, from }) =>
        what === 'frozen' && target === SENDER && startedAt <= from + TOLERANCE_MS && at >= from,
    )
  }
}

interface Sent extends Request {
  readonly record: Recorded | undefined
}

type Reason =
  | { readonly kind: 'retry'; readonly lateMs: number }
  | { readonly kind: 'early' }
  | { readonly kind: 'in_flight' }
  | { readonly kind: 'unexplained' }

function isNext(before: Recorded | undefined, after: Recorded): boolean {
  return before !== undefined && after.attempt.attempt === before.attempt.attempt + 1
}

/** Requests carry no attempt number: a record is that of the request which arrived while the attempt was running. */
function match(requests: readonly Request[], recorded: readonly Recorded[]) {
  // Where several were running, that which ended first: then each request finds one if there is one for each.
  const left = new Set([...recorded].sort((one, other) => endOf(one) - endOf(other)))
  const sent = [...requests]
    .sort((one, other) => one.at - other.at)
    .map((request): Sent => {
      const record = [...left].find(each => isOf(each, request))
      if (record) left.delete(record)
      return { ...request, record }
    })
  return { sent, unmatched: [...left] }
}

const startOf = ({ attempt }: Recorded) => Date.parse(attempt.started_at)
const endOf = ({ attempt }: Recorded) => Date.parse(attempt.finished_at)

function isOf(recorded: Recorded, { at, status }: Request): boolean {
  const { status_code = status } = recorded.attempt
  const runs = at >= startOf(recorded) - TOLERANCE_MS && at <= endOf(recorded) + TOLERANCE_MS
  return runs && status_code === status
}

/** One delivery's requests, each with its record, and the faults of its time. */
function describe(delivery: string, sent: readonly Sent[], faults: readonly Fault[]): string {
  const requests = sent.map(({ at, status, record }) => {
    if (!record) return `${iso(at)} → ${status}, not recorded`
    const { attempt, outcome, started_at, next_attempt_at } = record.attempt
    const next = next_attempt_at === undefined ? '' : `, next due ${next_attempt_at}`
    return `${iso(at)} → ${status}, attempt ${attempt} begun ${started_at}: ${outcome}, recorded ${iso(record.appendedAt)}${next}`
  })
  const first = sent[0]!.at - 1000
  const last = sent.at(-1)!.at + 1000
  const near = faults.filter(({ from, to }) => to >= first && from <= last)
  const around = near.map(({ what, target, pid, from, to }) => {
    const until = to - from > TOLERANCE_MS ? ` to ${iso(to)}` : ''
    return `${target}${pid === undefined ? '' : ` (${pid})`} ${what} ${iso(from)}${until}`
  })
  return [delivery, ...requests, ...around].join('\n    ')
}

const iso = (ms: number) => new Date(ms).toISOString()

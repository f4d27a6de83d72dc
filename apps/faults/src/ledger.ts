import type { Attempt } from '@posthorn/topics'

/** A request as the receiver saw it; times here are ms since the epoch, all by the clock of one machine. */
export interface Request {
  readonly at: number
  /** As it was answered; 0 where it was not. */
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
  readonly what: 'killed' | 'frozen' | 'rebalanced' | 'away' | 'disturbed'
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
/**
 * The receiver of a busy machine looks at a request later than it was sent. So long after a kill it
 * was the killed one's: its successor sends nothing until the dead session of 10 s is over.
 */
const SEEN_LATE_MS = 5000

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
    return this.requestsOf(delivery).length
  }

  /** In the order in which they were answered. */
  requestsOf(delivery: string): readonly Request[] {
    return this.requests.get(delivery) ?? []
  }

  isDelivered(delivery: string): boolean {
    return this.requests.get(delivery)?.some(({ status }) => status >= 200 && status < 300) === true
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
    const missing: string[] = []
    const unsent: string[] = []
    const retryLateness: number[] = []
    for (const [delivery, recorded] of byDelivery) {
      const requests = this.requests.get(delivery) ?? []
      const { attempts, neverArrived } = match(requests, recorded)
      const say = () => describe(delivery, attempts, this.faults)
      counts.requests += requests.length
      counts.attempts += recorded.length
      unsent.push(...neverArrived.map(({ attempt }) => `${delivery}/${attempt.attempt} at ${attempt.started_at}`))
      if (!this.isDelivered(delivery)) missing.push(say())
      attempts.forEach((attempt, at) => {
        if (!attempt.record && !this.faultAt(attempt)) lists.unrecorded.push(say())
        if (at === 0 || attempt.kind === 'unseen') return
        const reason = this.reasonFor(attempts.slice(0, at), attempt)
        if (reason.kind === 'retry') retryLateness.push(reason.lateMs)
        else if (reason.kind === 'in_flight') counts.inFlight++
        else lists[reason.kind].push(say())
      })
    }
    retryLateness.sort((one, other) => one - other)
    return { deliveries: deliveries.length, ...counts, ...lists, missing, retryLateness, unsent }
  }

  private reasonFor(earlier: readonly Sent[], request: Extract<Sent, { kind: 'seen' }>): Reason {
    const before = earlier.at(-1)!
    const due = before.record?.attempt.next_attempt_at
    const follows = request.record?.attempt.attempt === undefined || isNext(before.record, request.record)
    if (due !== undefined && follows) {
      const lateMs = request.at - Date.parse(due)
      if (lateMs >= 0) return { kind: 'retry', lateMs }
      return this.isOfCopy(earlier, request) ? { kind: 'in_flight' } : { kind: 'early' }
    }
    return this.faultAt(before) ? { kind: 'in_flight' } : { kind: 'unexplained' }
  }

  /**
   * Whether it is the retry of a request whose deliverer had put it into a delay topic and died before it
   * recorded the attempt: that was made again, and has a retry of its own, which is due later.
   */
  private isOfCopy(earlier: readonly Sent[], { at, record }: Extract<Sent, { kind: 'seen' }>): boolean {
    if (!record || at < Date.parse(record.attempt.due_at)) return false
    return earlier.some(sent => !sent.record && this.faultAt(sent) !== undefined)
  }

  /** A fault that found this attempt under way, or not recorded yet. */
  private faultAt(sent: Sent): Fault | undefined {
    const begun = begunAt(sent) - (sent.record ? TOLERANCE_MS : SEEN_LATE_MS)
    const recorded = sent.record?.appendedAt ?? Number.POSITIVE_INFINITY
    return this.faults.find(({ target, from, to }) => target === SENDER && begun <= to && from <= recorded)
  }
}

/** An attempt as the receiver and the log know it: at least one of them does. */
type Sent =
  | (Request & { readonly kind: 'seen'; readonly record: Recorded | undefined })
  | { readonly kind: 'unseen'; readonly record: Recorded }

type Reason =
  | { readonly kind: 'retry'; readonly lateMs: number }
  | { readonly kind: 'early' }
  | { readonly kind: 'in_flight' }
  | { readonly kind: 'unexplained' }

function isNext(before: Recorded | undefined, after: Recorded): boolean {
  return before !== undefined && after.attempt.attempt === before.attempt.attempt + 1
}

/**
 * Requests carry no attempt number: a record is that of the request which arrived while the attempt
 * was running. Records with the status that was answered come first: an attempt that got no answer
 * may never have arrived, or was seen only after it was given up, by a receiver that was held up.
 * In the order in which the attempts were begun.
 */
function match(requests: readonly Request[], recorded: readonly Recorded[]) {
  // Where several were running, that which ended first: then each request finds one if there is one for each.
  const left = new Set([...recorded].sort((one, other) => endOf(one) - endOf(other)))
  const ordered = [...requests].sort((one, other) => one.at - other.at)
  const found = new Map<Request, Recorded>()
  for (const status of ['answered', 'none'] as const)
    for (const request of ordered) {
      const record = found.has(request) ? undefined : [...left].find(each => isOf(each, request, status))
      if (!record) continue
      left.delete(record)
      found.set(request, record)
    }
  const unanswered = [...left].filter(({ attempt }) => attempt.status_code === undefined)
  const attempts: Sent[] = [
    ...ordered.map(request => ({ kind: 'seen' as const, ...request, record: found.get(request) })),
    ...unanswered.map(record => ({ kind: 'unseen' as const, record })),
  ]
  return {
    attempts: attempts.sort((one, other) => begunAt(one) - begunAt(other)),
    neverArrived: [...left].filter(record => !unanswered.includes(record)),
  }
}

function begunAt(sent: Sent): number {
  if (sent.kind === 'unseen') return startOf(sent.record)
  return sent.record ? startOf(sent.record) : sent.at
}

const startOf = ({ attempt }: Recorded) => Date.parse(attempt.started_at)
const endOf = ({ attempt }: Recorded) => Date.parse(attempt.finished_at)

function isOf(recorded: Recorded, { at, status }: Request, said: 'answered' | 'none'): boolean {
  const { status_code } = recorded.attempt
  if (at < startOf(recorded) - TOLERANCE_MS) return false
  return said === 'none' ? status_code === undefined : status_code === status && at <= endOf(recorded) + TOLERANCE_MS
}

/** One delivery's attempts, and the faults of their time. */
function describe(delivery: string, sent: readonly Sent[], faults: readonly Fault[]): string {
  if (sent.length === 0) return `${delivery}: no request`
  const attempts = sent.map(each => {
    const seen = each.kind === 'seen' ? `${iso(each.at)} → ${each.status}` : 'did not arrive'
    const { record } = each
    if (!record) return `${seen}, not recorded`
    const { attempt, outcome, started_at, next_attempt_at, error } = record.attempt
    const why = error === undefined ? '' : ` (${error})`
    const next = next_attempt_at === undefined ? '' : `, next due ${next_attempt_at}`
    return `${seen}, attempt ${attempt} begun ${started_at}: ${outcome}${why}, recorded ${iso(record.appendedAt)}${next}`
  })
  const first = begunAt(sent[0]!) - SEEN_LATE_MS
  const last = begunAt(sent.at(-1)!) + 1000
  const near = faults.filter(({ from, to }) => to >= first && from <= last)
  const around = near.map(({ what, target, pid, from, to }) => {
    const until = to - from > TOLERANCE_MS ? ` to ${iso(to)}` : ''
    return `${target}${pid === undefined ? '' : ` (${pid})`} ${what} ${iso(from)}${until}`
  })
  return [delivery, ...attempts, ...around].join('\n    ')
}

const iso = (ms: number) => new Date(ms).toISOString()

/**
 * What Posthorn owes, and whether it does. Only what the operator can mend counts: a receiver that fails
 * or is slow, an event that is refused, a webhook that is paused burn nothing.
 */
export interface Objective {
  /** Value of the label slo. */
  readonly name: string
  readonly alert: string
  /** As a share. */
  readonly target: number
  /** A sentence. */
  readonly promise: string
  /** What went wrong, and all of it, per second over a window such as 5m. */
  bad(window: string): string
  all(window: string): string
}

/** Bound of a bucket of the histograms below. */
const SOON_S = 5
/** A slow webhook may hold its own work up for 2 s before it goes to a delay topic: SOON_S leaves that out. */
const late = (histogram: string) => (window: string) =>
  `sum(rate(${histogram}_count[${window}])) - sum(rate(${histogram}_bucket{le="${SOON_S}"}[${window}]))`
const count = (series: string) => (window: string) => `sum(rate(${series}[${window}]))`

export const OBJECTIVES: readonly Objective[] = [
  {
    name: 'accepting',
    alert: 'PosthornAcceptingFails',
    target: 0.999,
    promise: 'Of the events that are published over HTTP and gRPC and are not refused, 99.9 % are accepted.',
    bad: count('posthorn_ingest_events_total{result="unavailable"}'),
    all: count('posthorn_ingest_events_total{result=~"published|unavailable"}'),
  },
  {
    name: 'first-attempt',
    alert: 'PosthornFirstAttemptsLate',
    target: 0.99,
    promise: `99 % of the first attempts begin within ${SOON_S} s of the event's acceptance, where the webhook itself does not hold them up.`,
    bad: late('posthorn_deliverer_first_attempt_age_seconds'),
    all: count('posthorn_deliverer_first_attempt_age_seconds_count'),
  },
  {
    name: 'retries',
    alert: 'PosthornRetriesLate',
    target: 0.99,
    promise: `99 % of the retries are handed to the deliverer within ${SOON_S} s of their time.`,
    bad: late('posthorn_retry_scheduler_lateness_seconds'),
    all: count('posthorn_retry_scheduler_lateness_seconds_count'),
  },
  {
    name: 'registry',
    alert: 'PosthornRegistryFails',
    target: 0.999,
    promise: 'Of the requests to the REST API 99.9 % are answered by something else than a 5xx.',
    bad: count('posthorn_registry_request_duration_seconds_count{status=~"5.."}'),
    all: count('posthorn_registry_request_duration_seconds_count'),
  },
]

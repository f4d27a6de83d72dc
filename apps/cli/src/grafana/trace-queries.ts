/** A TraceQL query that people will paste; docs/observability.md has all of them. */
export interface TraceQuery {
  readonly title: string
  readonly about: string
  readonly query: string
  /** On the dashboard, which has no place for what is asked about one thing by its id. */
  readonly shown: boolean
}

const ATTEMPT = 'span.webhook.attempt.number > 0'

export const TRACE_QUERIES: readonly TraceQuery[] = [
  {
    title: 'Failed attempts',
    about: 'Requests that a receiver did not answer by 2xx.',
    query: `{ ${ATTEMPT} && status = error }`,
    shown: true,
  },
  {
    title: 'Slow receivers',
    about: 'Attempts that took longer than 2 s.',
    query: `{ ${ATTEMPT} && duration > 2s }`,
    shown: true,
  },
  {
    title: 'The last retry failed',
    about: 'Deliveries that became dead letters, by their last attempt.',
    query: '{ span.webhook.attempt.outcome = "exhausted" || span.webhook.attempt.outcome = "gone" }',
    shown: true,
  },
  {
    title: 'Delivered by a retry',
    about: 'What would have been lost without retries.',
    query: '{ span.webhook.attempt.outcome = "delivered" && span.webhook.attempt.number > 1 }',
    shown: true,
  },
  {
    title: 'No answer at all',
    about: 'Time-outs, names that do not resolve, TLS, and addresses that are refused: error.type says which.',
    query: `{ ${ATTEMPT} && status = error && span.http.response.status_code = nil }`,
    shown: true,
  },
  {
    title: 'From the producer to the receiver',
    about: 'Whole traces, with what was published, routed and sent, that took longer than 5 s.',
    query: `{ traceDuration > 5s } && { kind = producer } && { ${ATTEMPT} }`,
    shown: true,
  },
  {
    title: 'One delivery',
    about: 'All attempts, also those in traces of their own, by the id of the API (webhook-id of the request).',
    query: '{ span.webhook.message.id = "delivery_…" }',
    shown: false,
  },
  {
    title: 'One webhook',
    about: 'Its failed attempts.',
    query: '{ span.webhook.id = "webhook_…" && status = error }',
    shown: false,
  },
  {
    title: 'One tenant, by event type',
    about: 'How many attempts a second, by type. A metrics query: Explore shows it as a graph.',
    query: `{ ${ATTEMPT} && span.webhook.tenant.id = "default" } | rate() by (span.webhook.event.type)`,
    shown: false,
  },
  {
    title: 'How slow, by webhook',
    about: 'The 95th percentile of the requests. A metrics query, too.',
    query: `{ ${ATTEMPT} } | quantile_over_time(duration, 0.95) by (span.webhook.id)`,
    shown: false,
  },
]

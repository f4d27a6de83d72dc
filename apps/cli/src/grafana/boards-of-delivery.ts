import { Board, type Series } from './board.js'
import { OBJECTIVES } from './objectives.js'

const RATE = '$__rate_interval'
/** Seven stats are side by side, of which one is twice as wide. */
const NARROW = 3

/** `p50`, `p95`, `p99` of a histogram. */
export function quantiles(histogram: string, by?: string): Series[] {
  const groups = by === undefined ? 'le' : `le, ${by}`
  const legend = by === undefined ? '' : ` {{${by}}}`
  return [0.5, 0.95, 0.99].map(quantile => [
    `histogram_quantile(${quantile}, sum by (${groups}) (rate(${histogram}_bucket[${RATE}])))`,
    `p${quantile * 100}${legend}`,
  ])
}

export const ratePer = (counter: string, by: string): Series => [
  `sum by (${by}) (rate(${counter}[${RATE}]))`,
  by
    .split(', ')
    .map(label => `{{${label}}}`)
    .join(' '),
]

/** For whoever was woken: is it us, and where. */
export function overview(): Board {
  const board = new Board('overview', 'overview', 'Whether Posthorn does what it owes, and where to look if not.')
  board.row('What is owed: without what receivers, producers and paused webhooks cause')
  for (const { name, target, promise, bad, all } of OBJECTIVES) {
    board.stat({
      ...{ title: `${name}: good`, about: `${promise} Over the time shown.`, unit: 'percentunit', width: 6 },
      ...{ bad: target, lessIsBad: true },
      series: [[`1 - (${bad('$__range')}) / (${all('$__range')})`, name]],
    })
  }
  for (const { name, target, promise, bad, all } of OBJECTIVES) {
    board.graph({
      ...{ title: `${name}: burn rate`, about: `${promise} 1 uses the budget of 30 days up in 30 days; 14.4 in two.` },
      ...{ unit: 'short', width: 6, bad: 1 },
      series: [[`(${bad('1h')}) / (${all('1h')}) / ${Number((1 - target).toFixed(6))}`, 'over 1 h']],
    })
  }
  return board
    .row('Now')
    .stat({
      ...{ title: 'Newest probe', about: 'How long ago what came the whole way was sent: page on it.', unit: 's' },
      ...{ width: 6, bad: 60, series: [['min(posthorn_deliverer_probe_age_seconds)', 'age']] },
    })
    .stat({
      ...{ title: 'Events a second', about: 'Read by the routers.', unit: 'reqps', width: NARROW },
      series: [[`sum(rate(posthorn_router_events_total[${RATE}]))`, 'events']],
    })
    .stat({
      ...{
        title: 'Attempts a second',
        about: 'Requests to receivers, retries included.',
        unit: 'reqps',
        width: NARROW,
      },
      series: [[`sum(rate(posthorn_deliverer_attempts_total[${RATE}]))`, 'attempts']],
    })
    .stat({
      ...{ title: 'Delivered', about: 'Share of attempts; receivers decide it.', unit: 'percentunit', width: NARROW },
      series: [
        [
          `sum(rate(posthorn_deliverer_attempts_total{outcome="delivered"}[${RATE}])) / sum(rate(posthorn_deliverer_attempts_total[${RATE}]))`,
          'delivered',
        ],
      ],
    })
    .stat({
      ...{
        title: 'Oldest overdue retry',
        about: 'More than a few seconds is ours to mend.',
        unit: 's',
        bad: 60,
        width: NARROW,
      },
      series: [['max(posthorn_retry_scheduler_overdue_oldest_seconds)', 'overdue']],
    })
    .stat({
      ...{
        title: 'Oldest unfinished record',
        about: 'Of all topics but the delay topics.',
        unit: 's',
        bad: 300,
        width: NARROW,
      },
      series: [['max(posthorn_monitor_oldest_unfinished_seconds{group!="retry-scheduler"})', 'age']],
    })
    .stat({
      ...{
        title: 'Dead letters an hour',
        about: 'Deliveries that ended without success.',
        unit: 'short',
        width: NARROW,
      },
      series: [['sum(increase(posthorn_deliverer_dead_letters_total[1h]))', 'dead letters']],
    })
    .row('The way of an event')
    .graph({
      ...{ title: 'Events', about: 'What became of those that the routers read.', unit: 'reqps' },
      series: [ratePer('posthorn_router_events_total', 'result')],
    })
    .graph({
      ...{ title: 'Attempts', about: 'By outcome: retry, exhausted and gone are answers of receivers.', unit: 'reqps' },
      series: [ratePer('posthorn_deliverer_attempts_total', 'outcome')],
    })
    .graph({
      ...{ title: 'Until the first attempt', about: 'From acceptance; the objective is 5 s.', unit: 's', bad: 5 },
      series: quantiles('posthorn_deliverer_first_attempt_age_seconds'),
    })
}

/** How requests go out. */
export function deliveries(): Board {
  return new Board('deliveries', 'deliveries', 'From the acceptance of an event to the answer of its receiver.')
    .row('Age')
    .graph({
      ...{ title: 'Until the first attempt', about: 'Where nothing of the webhook held it up.', unit: 's' },
      series: quantiles('posthorn_deliverer_first_attempt_age_seconds'),
    })
    .graph({
      ...{
        title: 'Until delivered',
        about: 'With all retries; replays count from when they were asked for.',
        unit: 's',
      },
      series: quantiles('posthorn_deliverer_delivery_age_seconds', 'outcome').map(([expr, legend]) => [
        expr.replace('_bucket[', '_bucket{run="live"}['),
        legend,
      ]),
    })
    .graph({
      ...{ title: 'Time of a request', about: 'As receivers answer.', unit: 's' },
      series: quantiles('posthorn_deliverer_attempt_duration_seconds'),
    })
    .row('Probes: the whole way, whoever else sends')
    .graph({
      ...{ title: 'Newest probe', about: 'How long ago what came the whole way was sent.', unit: 's', bad: 60 },
      series: [['min(posthorn_deliverer_probe_age_seconds)', 'age']],
    })
    .graph({
      ...{ title: 'Time of a probe', about: 'From the monitor to the receiver in the deliverer.', unit: 's' },
      series: quantiles('posthorn_deliverer_probe_duration_seconds'),
    })
    .graph({
      ...{ title: 'Probes sent', about: 'failed: Kafka did not take it.', unit: 'reqps' },
      series: [ratePer('posthorn_monitor_probes_total', 'result')],
    })
    .row('Outcomes')
    .graph({
      ...{ title: 'Attempts by outcome', about: 'A retry is one failure; exhausted the last of them.', unit: 'reqps' },
      series: [ratePer('posthorn_deliverer_attempts_total', 'outcome')],
    })
    .graph({
      ...{ title: 'Failures by class', about: 'client, server and network, as the API shows them.', unit: 'reqps' },
      series: [[`sum by (class) (rate(posthorn_deliverer_attempts_total{class!="none"}[${RATE}]))`, '{{class}}']],
    })
    .graph({
      ...{
        title: 'Answers',
        about: 'By class of status, or why there was none. address_refused: the guard did its work.',
      },
      ...{ unit: 'reqps', series: [ratePer('posthorn_deliverer_requests_total', 'result')] },
    })
    .graph({
      ...{ title: 'Dead letters', about: 'Redrive them when the receiver is back.', unit: 'reqps' },
      series: [ratePer('posthorn_deliverer_dead_letters_total', 'reason')],
    })
    .graph({
      ...{
        title: 'Repeats that were dropped',
        about: 'After crashes and rebalances; steady ones are a fault.',
        unit: 'reqps',
      },
      series: [ratePer('posthorn_deliverer_duplicates_total', 'known, lane')],
    })
    .graph({
      ...{ title: 'Set aside', about: 'By service; see posthorn poison list.', unit: 'reqps' },
      series: [
        [`sum(rate(posthorn_router_events_total{result="poison"}[${RATE}]))`, 'router'],
        [`sum(rate(posthorn_deliverer_poison_total[${RATE}]))`, 'deliverer'],
        [`sum(rate(posthorn_retry_scheduler_poison_total[${RATE}]))`, 'retry-scheduler'],
        [`sum(rate(posthorn_monitor_set_aside_total[${RATE}]))`, 'monitor'],
      ],
    })
    .graph({
      ...{
        title: 'Egress proxy',
        about: 'Requests that it did not let through; their deliveries wait.',
        unit: 'reqps',
      },
      series: [ratePer('posthorn_deliverer_proxy_failures_total', 'fault')],
    })
    .row('In memory')
    .graph({
      ...{ title: 'Requests under way', about: 'Against POSTHORN_DELIVERER_SOCKETS of each process.', unit: 'short' },
      series: [['sum by (service_name) (posthorn_deliverer_in_flight)', '{{service_name}}']],
    })
    .graph({
      ...{
        title: 'Waiting',
        about: 'For a request, for a version of their webhook or for their time, or as bulk behind live work.',
        unit: 'short',
      },
      series: [
        ['sum(posthorn_deliverer_queued)', 'queued'],
        ['sum(posthorn_deliverer_held)', 'held'],
        ['sum(posthorn_deliverer_bulk_held)', 'bulk'],
      ],
    })
    .graph({
      ...{
        title: 'Publishing',
        about: 'Of requests to ingest; unavailable is ours, refused the producer’s.',
        unit: 'reqps',
      },
      series: [ratePer('posthorn_ingest_events_total', 'result')],
    })
}

/** How receivers do. */
export function webhookHealth(): Board {
  return new Board(
    'webhook-health',
    'webhook health',
    'How receivers do: what Posthorn does about slow and failing ones.',
  )
    .row('Webhooks')
    .graph({
      ...{ title: 'By status', about: 'Every deliverer knows all of them, so the largest counts.', unit: 'short' },
      series: [['max by (status) (posthorn_deliverer_webhooks)', '{{status}}']],
    })
    .graph({
      ...{
        title: 'Failing',
        about: 'Their last attempt failed; those that were warned are disabled next.',
        unit: 'short',
      },
      series: [['max by (warned) (posthorn_monitor_webhooks_failing)', 'warned: {{warned}}']],
    })
    .graph({
      ...{
        title: 'Changes of health',
        about: 'Webhooks that were told to be failing, or healthy again.',
        unit: 'short',
      },
      series: [['sum by (health) (increase(posthorn_monitor_webhook_health_changes_total[1h]))', '{{health}} in 1 h']],
    })
    .row('What is done about them')
    .graph({
      ...{ title: 'Open circuits', about: 'Webhooks that are only probed.', unit: 'short' },
      series: [['sum(posthorn_deliverer_circuits_open)', 'open']],
    })
    .graph({
      ...{
        title: 'Circuits that open and close',
        about: 'A webhook that does both all the time is on the edge.',
        unit: 'short',
      },
      series: [['sum by (to) (increase(posthorn_deliverer_circuit_changes_total[1h]))', '{{to}} in 1 h']],
    })
    .graph({
      ...{ title: 'Spills', about: 'Deliveries put off without an attempt, by reason.', unit: 'reqps' },
      series: [ratePer('posthorn_deliverer_spills_total', 'reason')],
    })
    .graph({
      ...{ title: 'Parked', about: 'Webhooks and keys that are read again later.', unit: 'short' },
      series: [['sum(posthorn_deliverer_parked)', 'parked']],
    })
    .graph({
      ...{
        title: 'Longest parked',
        about: 'After 14 days what was not delivered is lost to them.',
        unit: 's',
        bad: 518_400,
      },
      series: [['max(posthorn_deliverer_parked_oldest_seconds)', 'oldest']],
    })
    .graph({
      ...{ title: 'Refused addresses', about: 'Webhooks that lead to where they may not.', unit: 'reqps' },
      series: [
        [
          `sum by (result) (rate(posthorn_deliverer_requests_total{result=~"address_refused|address_unlisted|port_refused"}[${RATE}]))`,
          '{{result}}',
        ],
      ],
    })
    .row('Alerts about webhooks and tenants')
    .graph({
      ...{ title: 'Alerts that fire', about: 'Of the monitor’s own rules; see GET /v1/alerts.', unit: 'short' },
      series: [['max by (rule) (posthorn_monitor_alerts_firing)', '{{rule}}']],
    })
    .graph({
      ...{ title: 'Attempts that fail', about: 'Share of all, by class.', unit: 'percentunit', width: 16 },
      series: [
        [
          `sum by (class) (rate(posthorn_deliverer_attempts_total{class!="none"}[${RATE}])) / on () group_left () sum(rate(posthorn_deliverer_attempts_total[${RATE}]))`,
          '{{class}}',
        ],
      ],
    })
    .graph({
      ...{
        title: 'Notifications',
        about: 'Tries to tell channels of alerts: retry and failed are the channel, or the way to it.',
      },
      ...{ unit: 'reqps', width: 12, series: [ratePer('posthorn_monitor_notifications_total', 'type, result')] },
    })
    .graph({
      ...{
        title: 'Notifications that wait',
        about: 'Grouped, silenced or tried again; no line where Postgres is away.',
        unit: 'short',
        width: 12,
      },
      series: [['max(posthorn_monitor_notifications_waiting)', 'waiting']],
    })
}

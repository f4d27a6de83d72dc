import { OBJECTIVES, type Objective } from './objectives.js'

/** As Prometheus reads it. */
export type Rule =
  { readonly record: string; readonly expr: string; readonly labels: Readonly<Record<string, string>> } | AlertRule

export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface RuleGroup {
  readonly name: string
  readonly rules: readonly Rule[]
}

type Severity = 'critical' | 'warning'

/**
 * A budget of 30 days: at these rates it is gone after 2 and 5 days (somebody is woken), after 10 and 30 days
 * (somebody looks by day). The short window ends an alert soon after its cause.
 */
const BURNS: readonly {
  severity: Severity
  rates: readonly (readonly [factor: number, long: string, short: string])[]
}[] = [
  {
    severity: 'critical',
    rates: [
      [14.4, '1h', '5m'],
      [6, '6h', '30m'],
    ],
  },
  {
    severity: 'warning',
    rates: [
      [3, '1d', '2h'],
      [1, '3d', '6h'],
    ],
  },
]
const WINDOWS = ['5m', '30m', '1h', '2h', '6h', '1d', '3d']
/** Fewer are no rate: at night one of ten requests must not wake anybody. */
const FEWEST_BAD = 10

export const RULE_GROUPS: readonly RuleGroup[] = [
  { name: 'posthorn-objectives', rules: OBJECTIVES.flatMap(records) },
  { name: 'posthorn-burn-rates', rules: OBJECTIVES.flatMap(burns) },
  { name: 'posthorn', rules: symptoms() },
]

/** Share of what went wrong, by window. Where nothing happened there is no series. */
function records({ name, bad, all }: Objective): Rule[] {
  return WINDOWS.map(window => ({
    record: `posthorn:objective_errors:ratio_rate${window}`,
    expr: `(${bad(window)}) / (${all(window)} > 0)`,
    labels: { slo: name },
  }))
}

function burns(objective: Objective): AlertRule[] {
  const { name, alert, target, promise, bad } = objective
  const budget = Number((1 - target).toFixed(6))
  return BURNS.map(({ severity, rates }) => {
    const ratio = (window: string) => `posthorn:objective_errors:ratio_rate${window}{slo="${name}"}`
    const pairs = rates.map(([factor, long, short]) => {
      const bound = Number((factor * budget).toFixed(6))
      const enough = `(${bad(long)}) * ${seconds(long)} >= ${FEWEST_BAD}`
      return `(${ratio(long)} > ${bound} and ${ratio(short)} > ${bound} and on () ${enough})`
    })
    return {
      alert,
      expr: pairs.join(' or '),
      for: '2m',
      labels: { severity, slo: name },
      annotations: {
        summary: `The error budget of "${name}" burns ${severity === 'critical' ? 'fast' : 'slowly'}: {{ $value | humanizePercentage }} went wrong`,
        description: promise,
      },
    }
  })
}

function seconds(window: string): number {
  const [, count, unit] = /^(\d+)([mhd])$/.exec(window)!
  return Number(count) * { m: 60, h: 3600, d: 86_400 }[unit as 'm' | 'h' | 'd']
}

/** Each is something that a person has to do, and that no customer can mend. */
function symptoms(): AlertRule[] {
  return [
    rule('PosthornProbesLate', 'critical', '2m', {
      // Without a deliverer that has had one, nobody tells an age.
      expr: 'min(posthorn_deliverer_probe_age_seconds) > 60 or (sum(rate(posthorn_monitor_probes_total[5m])) > 0 unless min(posthorn_deliverer_probe_age_seconds))',
      summary: 'No probe has come the whole way for more than a minute',
      description: 'Follow its way: the monitor sends, Kafka takes, the router routes, the deliverer delivers.',
    }),
    rule('PosthornNothingDelivered', 'critical', '10m', {
      expr: 'sum(rate(posthorn_router_deliveries_total[10m])) > 0 unless sum(rate(posthorn_deliverer_attempts_total[10m])) > 0',
      summary: 'Events are routed, and no attempt is made',
      description: 'Look whether the deliverers run, and whether they hold their partitions.',
    }),
    rule('PosthornConsumerStuck', 'critical', '10m', {
      // Of the delay topics records are meant to wait.
      expr: 'max by (group, topic) (posthorn_monitor_oldest_unfinished_seconds{group!="retry-scheduler"}) > 300',
      summary:
        'The oldest record of {{ $labels.topic }} that {{ $labels.group }} has not finished is {{ $value | humanizeDuration }} old',
      description: 'Look whether its processes run, what they log, and which partition stands still.',
    }),
    rule('PosthornRetriesOverdue', 'warning', '5m', {
      expr: 'max by (tier) (posthorn_retry_scheduler_overdue_oldest_seconds) > 60',
      summary: 'Retries of tier {{ $labels.tier }} leave more than a minute late',
      description: 'Add retry-schedulers, or look why Kafka takes their records slowly.',
    }),
    rule('PosthornRetentionHalfUsed', 'critical', '5m', {
      expr: 'max by (group, topic) (posthorn_monitor_retention_used) > 0.5',
      summary: 'Unfinished records of {{ $labels.topic }} are older than half of its retention',
      description:
        'Have {{ $labels.group }} go on, or keep the topic for longer, before Kafka deletes what is not done.',
    }),
    rule('PosthornParkedForLong', 'warning', undefined, {
      expr: 'max(posthorn_deliverer_parked_oldest_seconds) > 6 * 86400',
      summary: 'A webhook has been parked for more than 6 days',
      description: 'After 14 days what it has not got is lost to it. Resume it, or delete it.',
    }),
    rule('PosthornHistoryBehind', 'warning', '10m', {
      expr: 'max(posthorn_monitor_history_lag_seconds) > 600',
      summary: 'History is more than ten minutes behind',
      description: 'Delivery goes on. Look at Postgres first; what is more than 3 days behind is lost to the history.',
    }),
    rule('PosthornSecretSealed', 'critical', undefined, {
      expr: 'sum(increase(posthorn_deliverer_sealed_secrets_total[10m])) > 0',
      summary: 'Secrets of webhooks do not open, so their deliveries wait',
      description: 'The deliverer lacks a master key that the registry sealed with.',
    }),
    rule('PosthornEgressProxyFails', 'critical', undefined, {
      expr: 'sum(increase(posthorn_deliverer_proxy_failures_total[10m])) > 0',
      summary: 'The egress proxy lets no requests through, so deliveries wait',
      description: "The deliverer's log says what is wrong with it (alert egress_proxy).",
    }),
    rule('PosthornRecordsSetAside', 'critical', undefined, {
      expr:
        'sum(increase(posthorn_deliverer_poison_total[10m])) + sum(increase(posthorn_retry_scheduler_poison_total[10m]))' +
        ' + sum(increase(posthorn_monitor_set_aside_total[10m])) > 0',
      summary: 'Records of our own could not be handled and were set aside',
      description: 'Read them by posthorn poison list: this is a fault of Posthorn, or of a version that is too old.',
    }),
    rule('PosthornEventsSetAside', 'warning', undefined, {
      expr: 'sum(increase(posthorn_router_events_total{result="poison"}[1h])) > 10',
      summary: '{{ $value | humanize }} records of events.v1 were set aside within an hour',
      description: 'A producer sends what cannot be read, or what its schema refuses: posthorn poison list names it.',
    }),
    rule('PosthornRouterHeld', 'critical', '5m', {
      // On a new cluster it is so until the registry has published, for some seconds.
      expr: 'max by (reason) (posthorn_router_held) > 0',
      summary: 'Routers hold events back: {{ $labels.reason }}',
      description:
        'unpublished: no registry has published the webhooks, bring one back that reaches Kafka and Postgres. unanswered: no broker answers for webhooks.v1.',
    }),
    rule('PosthornWebhooksUnusable', 'critical', '5m', {
      expr: 'max(posthorn_router_webhooks_unusable) > 0',
      summary: 'Routers cannot read the subscription of {{ $value }} webhooks',
      description: 'Their events are set aside. A newer version made them: upgrade the routers.',
    }),
    rule('PosthornConfigurationLags', 'critical', undefined, {
      expr: 'sum(increase(posthorn_deliverer_configuration_lags_total[10m])) > 0',
      summary: 'Deliveries waited in vain for the version of their webhook',
      description: 'webhooks.v1 lacks what the router has read from it: compare them by posthorn doctor.',
    }),
    rule('PosthornProducingFails', 'warning', '5m', {
      expr: 'sum by (service_name) (rate(posthorn_kafka_produce_errors_total{reason=~"failed|not_let_in"}[5m])) > 0',
      summary: '{{ $labels.service_name }} cannot produce to Kafka, and tries again',
      description: 'Look at the brokers, at the in-sync replicas and at the ACLs; nothing is lost meanwhile.',
    }),
    rule('PosthornDatabasePoolFull', 'warning', '5m', {
      expr: 'max by (pool) (posthorn_database_waiting) > 0',
      summary: 'Queries wait for a connection of {{ $labels.pool }}',
      description: 'Postgres is slow or the pool too small (POSTHORN_DATABASE_POOL).',
    }),
    rule('PosthornEventLoopLate', 'warning', '10m', {
      expr: 'max by (service_name) (posthorn_process_event_loop_delay_seconds{quantile="0.99"}) > 0.5',
      summary: 'A process of {{ $labels.service_name }} is half a second late with everything',
      description: 'It lacks CPU, or collects garbage all the time: look at its limits, add processes.',
    }),
    rule('PosthornRestarts', 'warning', undefined, {
      expr: 'max by (service_name) (changes(posthorn_process_start_time_seconds[15m])) > 2',
      summary: '{{ $labels.service_name }} has restarted {{ $value }} times in 15 minutes',
      description: 'Its last words say why: kubectl logs --previous.',
    }),
    rule('PosthornWrongKeys', 'warning', '10m', {
      expr:
        'sum(rate(posthorn_ingest_not_let_in_total{code="key_invalid"}[5m]))' +
        ' + sum(rate(posthorn_registry_not_let_in_total{code="key_invalid"}[5m])) > 1',
      summary: 'More than one request a second has a wrong key',
      description: 'Somebody guesses, or an application still has a key that was revoked: the log has the addresses.',
    }),
    rule('PosthornAddressesRefused', 'warning', undefined, {
      expr: 'sum(increase(posthorn_deliverer_requests_total{result=~"address_refused|address_unlisted|port_refused"}[1h])) > 50',
      summary: 'Webhooks lead to {{ $value | humanize }} refused addresses within an hour',
      description: 'Somebody tries to reach what is not theirs, or a range is missing in POSTHORN_EGRESS_ALLOW.',
    }),
  ]
}

function rule(
  alert: string,
  severity: Severity,
  after: string | undefined,
  { expr, summary, description }: { expr: string; summary: string; description: string },
): AlertRule {
  return {
    ...{ alert, expr, ...(after === undefined ? {} : { for: after }) },
    labels: { severity },
    annotations: { summary, description },
  }
}

/** What a rule is about: one webhook, one tenant, or the platform as a whole. */
export type AlertAbout = 'webhook' | 'tenant' | 'platform'

export const ALERT_SEVERITIES = ['warning', 'critical'] as const
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number]

interface MetricSpec {
  readonly about: AlertAbout
  /** On which side of its threshold an alert fires. */
  readonly fires: 'below' | 'above'
  readonly unit: 'share' | 'seconds' | 'days' | 'count'
  /** Counted within a window; the others are how it is now. */
  readonly windowed: boolean
  /** The built-in rule: so it is unless the deployment says otherwise. */
  readonly threshold: number
  readonly windowSeconds: number
  readonly forSeconds: number
  readonly severity: AlertSeverity
}

const NOW = { windowed: false, windowSeconds: 0, forSeconds: 0, severity: 'warning' } as const
const COUNTED = { windowed: true, windowSeconds: 3600, forSeconds: 0, severity: 'warning' } as const
const RATE = { ...COUNTED, fires: 'below', unit: 'share', threshold: 0.9, windowSeconds: 600 } as const

/**
 * What can be watched. For each there is a built-in rule of the same name. Success rates: a webhook that fails is
 * mostly its owner's fault, and one of many; when all fail, it is ours.
 */
const METRICS = {
  webhook_success_rate: { ...RATE, about: 'webhook' },
  tenant_success_rate: { ...RATE, about: 'tenant' },
  platform_success_rate: { ...RATE, about: 'platform', severity: 'critical' },
  webhook_failing: { ...NOW, about: 'webhook', fires: 'above', unit: 'seconds', threshold: 6 * 3600 },
  dead_letters: { ...COUNTED, about: 'tenant', fires: 'above', unit: 'count', threshold: 10 },
  poison: { ...COUNTED, about: 'tenant', fires: 'above', unit: 'count', threshold: 10 },
  refused_addresses: { ...COUNTED, about: 'webhook', fires: 'above', unit: 'count', threshold: 0 },
  certificate_expiring: { ...NOW, about: 'webhook', fires: 'below', unit: 'days', threshold: 14 },
  parked_half_used: { ...NOW, about: 'webhook', fires: 'above', unit: 'share', threshold: 0.5 },
  wrong_keys: { ...COUNTED, about: 'platform', fires: 'above', unit: 'count', threshold: 100, windowSeconds: 600 },
  retries_overdue: { ...NOW, about: 'platform', fires: 'above', unit: 'seconds', threshold: 60, severity: 'critical' },
  consumer_stuck: { ...NOW, about: 'platform', fires: 'above', unit: 'seconds', threshold: 300, severity: 'critical' },
  under_replicated: { ...NOW, about: 'platform', fires: 'above', unit: 'count', threshold: 0, forSeconds: 60 },
  retention_half_used: {
    ...NOW,
    ...{ about: 'platform', fires: 'above', unit: 'share', threshold: 0.5, severity: 'critical' },
  },
} as const satisfies Record<string, MetricSpec>

export type AlertMetric = keyof typeof METRICS
export const ALERT_METRICS = Object.keys(METRICS) as AlertMetric[]

export function metricSpec(metric: AlertMetric): MetricSpec {
  return METRICS[metric]
}

/** What a tenant's own rules may watch. */
export const TENANT_METRICS = ALERT_METRICS.filter(metric => METRICS[metric].about !== 'platform')

/** Whether having nothing to count says that nothing is known. Otherwise it says that all is well. */
export function needsCounts(metric: AlertMetric): boolean {
  return metric.endsWith('_success_rate')
}

import {
  ALERT_METRICS,
  ALERT_SEVERITIES,
  metricSpec,
  TENANT_METRICS,
  type AlertMetric,
  type AlertSeverity,
} from './alert-metric.js'
import type { Problem } from './event.js'

/** When an alert fires, and when it ends. */
export interface AlertRule {
  /** Of a built-in rule the name of its metric. */
  readonly id: string
  readonly metric: AlertMetric
  /** Whose it is; null: the platform's, about every tenant. */
  readonly tenant: string | null
  /** The only webhook that it is about; null: each. */
  readonly webhook: string | null
  readonly threshold: number
  /** An alert that fires ends only when the value is back at this one. */
  readonly clear: number
  /** 0 for what is not counted within a window. */
  readonly windowSeconds: number
  /** So long the threshold has to be crossed before it fires. */
  readonly forSeconds: number
  readonly severity: AlertSeverity
  readonly enabled: boolean
}

/** A rule as the API and the configuration write it; what is absent or null has its default. */
export interface AlertRuleFields {
  readonly metric?: AlertMetric | null
  readonly webhook?: string | null
  readonly threshold?: number | null
  readonly clear?: number | null
  readonly window_seconds?: number | null
  readonly for_seconds?: number | null
  readonly severity?: AlertSeverity | null
  readonly enabled?: boolean | null
}

/** Windows that rules may count within: a few, because the counts of a window are read once for all of its rules. */
export const ALERT_WINDOWS = [10, 60, 300, 600, 1800, 3600, 21_600, 86_400] as const
const MAX_FOR_SECONDS = 86_400
const HIGHEST = { share: 1, seconds: 31_536_000, days: 3650, count: 1e9 } as const

/**
 * Where an alert ends unless its rule says so: a success rate when half of the failures that it allows are left, a
 * certificate a day later, and all else at four fifths.
 */
function defaultClear(metric: AlertMetric, threshold: number): number {
  const { fires, unit } = metricSpec(metric)
  if (fires === 'above') return unit === 'count' ? Math.floor(threshold * 0.8) : threshold * 0.8
  return unit === 'share' ? (1 + threshold) / 2 : threshold + 1
}

/** The complete rule: what the fields name over the built-in rule of the metric. */
export function alertRule(
  owner: Pick<AlertRule, 'id' | 'tenant' | 'metric'>,
  fields: AlertRuleFields,
  base: AlertRule = plainRule(owner.metric),
): AlertRule {
  const threshold = fields.threshold ?? base.threshold
  const kept = threshold === base.threshold ? base.clear : defaultClear(owner.metric, threshold)
  return {
    ...owner,
    webhook: fields.webhook ?? null,
    threshold,
    clear: fields.clear ?? kept,
    windowSeconds: fields.window_seconds ?? base.windowSeconds,
    forSeconds: fields.for_seconds ?? base.forSeconds,
    severity: fields.severity ?? base.severity,
    enabled: fields.enabled ?? base.enabled,
  }
}

function plainRule(metric: AlertMetric): AlertRule {
  const { threshold, windowSeconds, forSeconds, severity } = metricSpec(metric)
  const clear = defaultClear(metric, threshold)
  return {
    id: metric,
    ...{ metric, tenant: null, webhook: null, threshold, clear, windowSeconds, forSeconds, severity, enabled: true },
  }
}

/** What the deployment says of the built-in rules. */
export interface AlertConfiguration {
  /** Below it alerts of success rates fire; 0: never. */
  readonly successRate: number
  readonly windowSeconds: number
  readonly rules: Readonly<Partial<Record<AlertMetric, AlertRuleFields>>>
}

export function builtInRules({ successRate, windowSeconds, rules }: AlertConfiguration): readonly AlertRule[] {
  return ALERT_METRICS.map(metric => {
    const owner = { id: metric, tenant: null, metric }
    const rate = { threshold: successRate || null, window_seconds: windowSeconds, enabled: successRate > 0 }
    const base = metric.endsWith('_success_rate') ? alertRule(owner, rate) : plainRule(metric)
    return alertRule(owner, rules[metric] ?? {}, base)
  })
}

const fault = (pointer: string, message: string): Problem => ({ pointer, message })

/** Faults of fields that are there, each by its name; `tenant`: the rule is a tenant's. */
export function alertRuleFaults(fields: AlertRuleFields, metric: AlertMetric, tenant: boolean): Problem[] {
  const { unit, windowed, about } = metricSpec(metric)
  const faults: Problem[] = []
  const number = (name: keyof AlertRuleFields, most: number, whole: boolean) => {
    const value: unknown = fields[name]
    if (value === undefined || value === null) return
    const fits = typeof value === 'number' && value >= 0 && value <= most && (!whole || Number.isInteger(value))
    if (!fits) faults.push(fault(`/${name}`, `must be a ${whole ? 'whole ' : ''}number from 0 to ${most}`))
  }
  if (tenant && !TENANT_METRICS.includes(metric))
    faults.push(fault('/metric', `must be one of ${TENANT_METRICS.join(', ')}: the others are the platform's`))
  number('threshold', HIGHEST[unit], unit === 'count')
  number('clear', HIGHEST[unit], unit === 'count')
  number('for_seconds', MAX_FOR_SECONDS, true)
  const window = fields.window_seconds ?? undefined
  if (window !== undefined && !windowed) faults.push(fault('/window_seconds', `is not for ${metric}: leave it out`))
  else if (window !== undefined && !(ALERT_WINDOWS as readonly unknown[]).includes(window))
    faults.push(fault('/window_seconds', `must be one of ${ALERT_WINDOWS.join(', ')}`))
  if (fields.severity != null && !ALERT_SEVERITIES.includes(fields.severity))
    faults.push(fault('/severity', `must be one of ${ALERT_SEVERITIES.join(', ')}`))
  if (fields.enabled != null && typeof fields.enabled !== 'boolean')
    faults.push(fault('/enabled', 'must be true or false'))
  if (fields.webhook != null && about !== 'webhook')
    faults.push(fault('/webhook', `is not for ${metric}: leave it out`))
  return faults
}

/** Of a complete rule: an alert that fires has to be able to end. */
export function alertRuleConflicts({ metric, threshold, clear }: AlertRule): Problem[] {
  const above = metricSpec(metric).fires === 'above'
  if (above ? clear <= threshold : clear >= threshold) return []
  return [fault('/clear', `must be ${above ? 'at most' : 'at least'} the threshold, ${threshold}`)]
}

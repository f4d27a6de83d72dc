import {
  ALERT_METRICS,
  alertRule,
  alertRuleConflicts,
  alertRuleFaults,
  type AlertConfiguration,
  type AlertMetric,
  type AlertRuleFields,
} from '@posthorn/webhook'

const VARIABLE = 'POSTHORN_MONITOR_ALERT_RULES'
const FIELDS = ['threshold', 'clear', 'window_seconds', 'for_seconds', 'severity', 'enabled']

/** What a deployment says of the built-in rules of alerts; each fault goes to `problems`. */
export function readAlertRules(text: string | undefined, problems: string[]): AlertConfiguration['rules'] {
  if (text === undefined) return {}
  const rules = parse(text)
  if (rules === undefined) {
    problems.push(`${VARIABLE}: must be a JSON object of rules by their names.`)
    return {}
  }
  for (const [name, fields] of Object.entries(rules))
    for (const fault of faultsOf(name, fields)) problems.push(`${VARIABLE}: ${fault}.`)
  return rules as AlertConfiguration['rules']
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const read: unknown = JSON.parse(text)
    return isObject(read) ? read : undefined
  } catch {
    return undefined
  }
}

function faultsOf(name: string, fields: unknown): string[] {
  if (!(ALERT_METRICS as readonly string[]).includes(name))
    return [`/${name} is no built-in rule: those are ${ALERT_METRICS.join(', ')}`]
  if (!isObject(fields)) return [`/${name} must be an object`]
  const unknown = Object.keys(fields).filter(field => !FIELDS.includes(field))
  if (unknown.length > 0) return unknown.map(field => `/${name}/${field} is not a known field`)
  const metric = name as AlertMetric
  const faults = alertRuleFaults(fields as AlertRuleFields, metric, false)
  const all =
    faults.length > 0
      ? faults
      : alertRuleConflicts(alertRule({ id: name, tenant: null, metric }, fields as AlertRuleFields))
  return all.map(({ pointer, message }) => `/${name}${pointer} ${message}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

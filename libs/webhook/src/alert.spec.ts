import { describe, expect, test } from '@jest/globals'
import { ALERT_METRICS, metricSpec, TENANT_METRICS, type AlertMetric } from './alert-metric.js'
import { alertRule, alertRuleConflicts, alertRuleFaults, builtInRules, type AlertRule } from './alert-rule.js'
import { alertSentence } from './alert-sentence.js'
import { alertMatches, LEAST_ATTEMPTS, nextPhase, type AlertPhase } from './alert.js'

const BUILT_IN = builtInRules({ successRate: 0.9, windowSeconds: 600, rules: {} })
const ruleOf = (metric: AlertMetric, more: Partial<AlertRule> = {}): AlertRule => ({
  ...BUILT_IN.find(rule => rule.id === metric)!,
  ...more,
})
const SUBJECT = { tenant: null, webhook: null, subject: '', details: {} }
const CALM: AlertPhase = { kind: 'calm' }
const FIRING: AlertPhase = { kind: 'firing' }

describe('nextPhase of a success rate', () => {
  const rate = (delivered: number, attempts = 100) => ({ ...SUBJECT, value: delivered / attempts || 0, of: attempts })
  test.each([
    ['begins below the rate', CALM, rate(89), FIRING],
    ['not at it', CALM, rate(90), CALM],
    ['goes on above it', FIRING, rate(94), FIRING],
    ['ends with half of the failures that it allows', FIRING, rate(96), CALM],
    ['does not begin on too few attempts', CALM, rate(0, LEAST_ATTEMPTS - 1), CALM],
    ['begins on enough', CALM, rate(0, LEAST_ATTEMPTS), FIRING],
    ['ends on one success alone', FIRING, rate(1, 1), CALM],
    ['stays as it was without attempts', FIRING, rate(0, 0), FIRING],
    ['does not begin without them', CALM, undefined, CALM],
    ['stays as it was when nothing is known', FIRING, undefined, FIRING],
  ])('%s', (_, before, reading, after) =>
    expect(nextPhase(ruleOf('webhook_success_rate'), before, reading, 0)).toEqual(after),
  )
})

describe('nextPhase', () => {
  const at = (value: number) => ({ ...SUBJECT, value })
  test('has bounds of its own for beginning and ending', () => {
    const rule = ruleOf('retention_half_used')
    expect([rule.threshold, rule.clear]).toEqual([0.5, 0.4])
    expect(nextPhase(rule, CALM, at(0.5), 0)).toEqual(CALM)
    expect(nextPhase(rule, CALM, at(0.51), 0)).toEqual(FIRING)
    expect(nextPhase(rule, FIRING, at(0.41), 0)).toEqual(FIRING)
    expect(nextPhase(rule, FIRING, at(0.4), 0)).toEqual(CALM)
    expect(nextPhase(rule, FIRING, undefined, 0)).toEqual(CALM)
  })

  test('fires once the threshold has been crossed for long enough without a break', () => {
    const rule = ruleOf('under_replicated')
    const pending = nextPhase(rule, CALM, at(1), 1000)
    expect(pending).toEqual({ kind: 'pending', since: 1000 })
    expect(nextPhase(rule, pending, at(2), 60_999)).toEqual(pending)
    expect(nextPhase(rule, pending, at(0), 30_000)).toEqual(CALM)
    expect(nextPhase(rule, pending, at(2), 61_000)).toEqual(FIRING)
  })

  test('knows what is too little as well as what is too much', () => {
    const rule = ruleOf('certificate_expiring')
    expect(nextPhase(rule, CALM, at(13.9), 0)).toEqual(FIRING)
    expect(nextPhase(rule, FIRING, at(14.5), 0)).toEqual(FIRING)
    expect(nextPhase(rule, FIRING, at(15), 0)).toEqual(CALM)
  })
})

describe('rules', () => {
  test.each(ALERT_METRICS)('the built-in %s can fire, and end', metric => {
    const rule = ruleOf(metric)
    expect([alertRuleConflicts(rule), rule.enabled]).toEqual([[], true])
    expect(metricSpec(metric).windowed).toBe(rule.windowSeconds > 0)
    expect(alertSentence({ ...rule, tenant: 'acme', webhook: null, value: 1, details: {} })).toMatch(/\.$/)
  })

  test('are what the deployment says', () => {
    const rules = { dead_letters: { threshold: 100, severity: 'critical' as const }, poison: { enabled: false } }
    const found = builtInRules({ successRate: 0, windowSeconds: 60, rules })
    const of = (metric: string) => found.find(({ id }) => id === metric)!
    expect(of('webhook_success_rate')).toMatchObject({ enabled: false, windowSeconds: 60 })
    expect(of('dead_letters')).toMatchObject({ threshold: 100, clear: 80, severity: 'critical', windowSeconds: 3600 })
    expect(of('poison')).toMatchObject({ enabled: false, threshold: 10 })
  })

  test('take their defaults from the built-in rule of the metric', () => {
    const rule = alertRule(
      { id: 'rule_1', tenant: 'acme', metric: 'webhook_success_rate' },
      { threshold: 0.5, clear: null },
    )
    expect(rule).toMatchObject({ threshold: 0.5, clear: 0.75, windowSeconds: 600, severity: 'warning', webhook: null })
  })

  test.each([
    [{ threshold: 1.5 }, 'webhook_success_rate', false, '/threshold'],
    [{ threshold: 1.5 }, 'dead_letters', false, '/threshold'],
    [{ clear: -1 }, 'dead_letters', false, '/clear'],
    [{ for_seconds: 86_401 }, 'dead_letters', false, '/for_seconds'],
    [{ window_seconds: 61 }, 'dead_letters', false, '/window_seconds'],
    [{ window_seconds: 60 }, 'consumer_stuck', false, '/window_seconds'],
    [{ severity: 'bad' as never }, 'dead_letters', false, '/severity'],
    [{ enabled: 'no' as never }, 'dead_letters', false, '/enabled'],
    [{ webhook: 'webhook_1' }, 'dead_letters', false, '/webhook'],
    [{}, 'consumer_stuck', true, '/metric'],
  ] as const)('%j of %s (a tenant: %s) is at fault at %s', (fields, metric, tenant, pointer) =>
    expect(alertRuleFaults(fields, metric, tenant).map(fault => fault.pointer)).toEqual([pointer]),
  )

  test('are refused when what fires could never end', () => {
    const owner = { id: 'r', tenant: null, metric: 'dead_letters' as const }
    expect(alertRuleConflicts(alertRule(owner, { threshold: 5, clear: 6 }))).toMatchObject([{ pointer: '/clear' }])
    expect(alertRuleConflicts(alertRule(owner, { threshold: 5, clear: 5 }))).toEqual([])
  })

  test('of a tenant are about the tenant', () => expect(TENANT_METRICS).not.toContain('wrong_keys'))
})

describe('alertMatches', () => {
  const ALL = { rules: null, severities: null, tenants: null, webhook: null }
  const alert = { rule: 'rule_1', metric: 'poison', severity: 'warning', tenant: 'acme', webhook: 'webhook_1' }
  test.each([
    ['everything', ALL, null, true],
    ['everything of the tenant', ALL, 'acme', true],
    ['nothing of another tenant', ALL, 'other', false],
    ['a rule', { ...ALL, rules: ['rule_1'] }, null, true],
    ['a metric', { ...ALL, rules: ['x', 'poison'] }, null, true],
    ['not another rule', { ...ALL, rules: ['rule_2'] }, null, false],
    ['a severity', { ...ALL, severities: ['critical'] }, null, false],
    ['a tenant', { ...ALL, tenants: ['acme'] }, null, true],
    ['not another tenant', { ...ALL, tenants: ['other'] }, null, false],
    ['a webhook', { ...ALL, webhook: 'webhook_2' }, null, false],
  ])('%s', (_, match, owner, matches) => expect(alertMatches(match, owner, alert)).toBe(matches))
})

import { metricSpec, needsCounts } from './alert-metric.js'
import type { AlertRule } from './alert-rule.js'

/** What an alert is about, within its rule. */
export interface AlertSubject {
  readonly tenant: string | null
  readonly webhook: string | null
  /** What else tells it from others, such as a group and a topic; mostly empty. */
  readonly subject: string
}

/** What was found out about one subject. */
export interface AlertReading extends AlertSubject {
  readonly value: number
  /** Of a share: of how many. */
  readonly of?: number
  /** For a person. */
  readonly details: Readonly<Record<string, string | number>>
}

export type AlertState =
  | { readonly kind: 'firing'; readonly since: number }
  | { readonly kind: 'resolved'; readonly since: number; readonly until: number; readonly by: AlertEnd }

/** Why an alert ended: all is well again, or there is nothing to be watched any more. */
export type AlertEnd = 'recovered' | 'inactive'

/** Fewer attempts than this say nothing that anybody should be woken for. */
export const LEAST_ATTEMPTS = 20

/** How one subject of a rule stands. */
export type AlertPhase =
  | { readonly kind: 'calm' }
  /** The threshold is crossed since then, and not yet for long enough. */
  | { readonly kind: 'pending'; readonly since: number }
  | { readonly kind: 'firing' }

const CALM: AlertPhase = { kind: 'calm' }
const FIRING: AlertPhase = { kind: 'firing' }

/**
 * How it stands now. It begins beyond the threshold, once that lasts, and ends only at the rule's other bound.
 * Of a success rate without attempts nothing is known, and it stays as it was: silence is no recovery.
 */
export function nextPhase(
  rule: AlertRule,
  phase: AlertPhase,
  reading: AlertReading | undefined,
  now: number,
): AlertPhase {
  const was = phase.kind === 'firing'
  if (needsCounts(rule.metric) && (reading?.of ?? 0) < (was ? 1 : LEAST_ATTEMPTS)) return was ? phase : CALM
  if (reading === undefined || !isBeyond(rule, was, reading.value)) return CALM
  if (was || rule.forSeconds === 0) return FIRING
  const since = phase.kind === 'pending' ? phase.since : now
  return now - since >= rule.forSeconds * 1000 ? FIRING : { kind: 'pending', since }
}

function isBeyond({ metric, threshold, clear }: AlertRule, was: boolean, value: number): boolean {
  const bound = was ? clear : threshold
  return metricSpec(metric).fires === 'above' ? value > bound : value < bound
}

/** What a channel or a silence is for; null: everything. */
export interface AlertMatch {
  /** Ids of rules, or names of metrics: those then stand for every rule about them. */
  readonly rules: readonly string[] | null
  readonly severities: readonly string[] | null
  readonly tenants: readonly string[] | null
  readonly webhook: string | null
}

/** Enough of an alert to say whom it concerns. */
export interface MatchedAlert {
  readonly rule: string
  readonly metric: string
  readonly severity: string
  readonly tenant: string | null
  readonly webhook: string | null
}

/** `owner`: whose the channel or silence is; a tenant's is about the tenant alone. */
export function alertMatches(match: AlertMatch, owner: string | null, alert: MatchedAlert): boolean {
  const { rules, severities, tenants, webhook } = match
  return (
    (owner === null || owner === alert.tenant) &&
    (rules === null || rules.includes(alert.rule) || rules.includes(alert.metric)) &&
    (severities === null || severities.includes(alert.severity)) &&
    (tenants === null || (alert.tenant !== null && tenants.includes(alert.tenant))) &&
    (webhook === null || webhook === alert.webhook)
  )
}

/** What the address of a channel is sealed for. */
export function channelContext(channel: string): string {
  return `alert channel ${channel}`
}

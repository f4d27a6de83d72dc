/** What is watched: the attempts of one webhook, of all of a tenant, of all together. */
export const ALERT_RULES = ['webhook_success_rate', 'tenant_success_rate', 'platform_success_rate'] as const
export type AlertRule = (typeof ALERT_RULES)[number]

export const ALERT_SEVERITIES = ['warning', 'critical'] as const
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number]

/** A webhook that fails is mostly its owner's fault, and one of many; when all fail, it is ours. */
export const ALERT_SEVERITY: Readonly<Record<AlertRule, AlertSeverity>> = {
  webhook_success_rate: 'warning',
  tenant_success_rate: 'warning',
  platform_success_rate: 'critical',
}

export type AlertState =
  | { readonly kind: 'firing'; readonly since: number }
  | { readonly kind: 'resolved'; readonly since: number; readonly until: number; readonly by: AlertEnd }

/** Why an alert ended: the rate rose again, or the webhook takes no events any more. */
export type AlertEnd = 'recovered' | 'inactive'

/** Attempts within the window, of what a rule watches. */
export interface SuccessCount {
  readonly attempts: number
  readonly delivered: number
}

/** Fewer attempts than this say nothing that anybody should be woken for. */
export const LEAST_ATTEMPTS = 20

/**
 * Whether an alert fires now. Below the success rate it begins; it ends only when half of the failures that the
 * rate allows are left, and with a rate of 0. Without attempts nothing is known, and it stays as it was: silence is no recovery.
 */
export function isFiring(was: boolean, { attempts, delivered }: SuccessCount, successRate: number): boolean {
  if (successRate === 0) return false
  if (attempts < (was ? 1 : LEAST_ATTEMPTS)) return was
  const rate = delivered / attempts
  return was ? rate < (1 + successRate) / 2 : rate < successRate
}

import type { Notification, NotifiedAlert } from '@posthorn/store'
import { alertSentence } from '@posthorn/webhook'

/** A notification as people read it. */
export interface NotificationText {
  readonly subject: string
  readonly lines: readonly string[]
}

/** So many alerts are named; the rest is a number. */
const MOST_LINES = 50

export function textOf(entries: Notification['entries']): NotificationText {
  const alerts = entries.flatMap(({ what, alert }) => (alert ? [{ what, alert }] : []))
  if (alerts.length === 0)
    return { subject: '[Posthorn] Test', lines: ['This is a test: alerts that fire are told here.'] }
  // Of one alert the last word counts: it may have ended before anybody was told of it.
  const last = [...new Map(alerts.map(one => [one.alert.id, one.alert])).values()]
  const firing = last.filter(({ resolvedAt }) => resolvedAt === null)
  const resolved = last.filter(({ resolvedAt }) => resolvedAt !== null)
  const rest = last.length - MOST_LINES
  const lines = [...firing, ...resolved].slice(0, MOST_LINES).map(lineOf)
  return {
    subject: `[Posthorn] ${subjectOf(firing, resolved)}`,
    lines: rest > 0 ? [...lines, `And ${rest} more: posthorn alerts list.`] : lines,
  }
}

function subjectOf(firing: readonly NotifiedAlert[], resolved: readonly NotifiedAlert[]): string {
  const [one, ...others] = [...firing, ...resolved]
  if (others.length === 0) return `${one!.resolvedAt === null ? 'Firing' : 'Resolved'}: ${one!.rule}${ofTenant(one!)}`
  const parts = [
    firing.length > 0 ? `${firing.length} firing` : '',
    resolved.length > 0 ? `${resolved.length} resolved` : '',
  ]
  return parts.filter(part => part !== '').join(', ')
}

const ofTenant = ({ tenant }: NotifiedAlert) => (tenant === null ? '' : ` (${tenant})`)

function lineOf(alert: NotifiedAlert): string {
  const { id, rule, severity, firedAt, resolvedAt } = alert
  const since = firedAt.toISOString()
  if (resolvedAt === null) return `FIRING ${severity} ${rule}: ${alertSentence(alert)} Since ${since} (${id}).`
  return `RESOLVED ${rule}: it fired from ${since} to ${resolvedAt.toISOString()} (${id}). ${aboutOf(alert)}`.trim()
}

function aboutOf({ tenant, webhook, subject }: NotifiedAlert): string {
  const parts = [webhook && `webhook ${webhook}`, tenant && `tenant ${tenant}`, subject].filter(part => part)
  return parts.length === 0 ? '' : `It was about ${parts.join(', ')}.`
}

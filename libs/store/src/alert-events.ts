import { alertSentence, type AlertEnd } from '@posthorn/webhook'
import { isSilenced, type AlertAudience, type NotifiedAlert } from './alert-notifications.js'
import type { SqlClient } from './history-pool.js'
import { raiseOwnEvent } from './own-events.js'

/** Within the transaction of the alert: tells of it by an event of the tenant that it is about. `ended`: it has. */
export async function raiseAlertEvent(
  client: SqlClient,
  platformTenant: string,
  audience: AlertAudience,
  alert: NotifiedAlert,
  ended: AlertEnd | undefined,
  now: number,
): Promise<void> {
  const { id, rule, metric, severity, tenant, webhook, subject, value, threshold, windowSeconds, details } = alert
  const what = ended === undefined ? 'firing' : 'resolved'
  const owner = tenant ?? platformTenant
  const optional = {
    ...(tenant === null ? {} : { tenant }),
    ...(webhook === null ? {} : { webhook }),
    ...(subject === '' ? {} : { subject }),
  }
  const times = {
    fired_at: alert.firedAt.toISOString(),
    ...(ended === undefined ? {} : { resolved_at: new Date(now).toISOString(), by: ended }),
  }
  await raiseOwnEvent((text, values) => client.query({ text, values }), {
    id: `${id}.${what}`,
    tenant: owner,
    type: `posthorn.alert.${what}`,
    subject: webhook ?? tenant ?? 'platform',
    time: new Date(now).toISOString(),
    data: {
      ...{ alert: id, rule, metric, severity, ...optional, value, threshold, window_seconds: windowSeconds },
      ...{ details, summary: alertSentence(alert), silenced: isSilenced(audience, owner, alert, now), ...times },
    },
  })
}

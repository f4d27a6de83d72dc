/** What Posthorn itself tells a tenant; all are in the built-in catalogue. */
export const OWN_EVENT_TYPES = [
  'posthorn.webhook.failing',
  'posthorn.webhook.disabled',
  'posthorn.webhook.recovered',
  'posthorn.alert.firing',
  'posthorn.alert.resolved',
] as const
export type OwnEventType = (typeof OWN_EVENT_TYPES)[number]

/** The source of all of them. */
export const OWN_SOURCE = '/posthorn'

export function isOwnEventType(type: string): type is OwnEventType {
  return (OWN_EVENT_TYPES as readonly string[]).includes(type)
}

/*
 * The probe: an event that goes the whole way at an interval, from a monitor by router and deliverer to a receiver of
 * Posthorn's own. Its webhook is no document of a topic and no row: who takes part knows it from here.
 */

/** None that can be created: it begins with what no tenant's id begins with. */
export const PROBE_TENANT = '-posthorn'
export const PROBE_WEBHOOK = 'webhook_probe'
export const PROBE_TYPE = 'posthorn.probe'

export function isProbe({ tenant, type, source }: { readonly tenant: string; type: string; source: string }): boolean {
  return tenant === PROBE_TENANT && type === PROBE_TYPE && source === OWN_SOURCE
}

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

import { ALERT_METRICS, ALERT_SEVERITIES, type OwnEventType } from '@posthorn/webhook'
import type { BuiltInEventType } from './event-type.js'
import { ANYTHING, COUNT, FLAG, ID, NUMBER, object, oneOf, TEXT, TIME } from './json-types.js'

interface OwnType extends BuiltInEventType {
  readonly type: OwnEventType
}

const FAILURES = { webhook: ID, url: ID, failing_since: TIME, failures: COUNT }
const LAST = { last_status_code: COUNT, last_error_class: TEXT }
const EXAMPLE = {
  webhook: 'webhook_0g6yq1cz5tqk8w3v9m2x4b7n1d',
  url: 'https://shop.example',
  failing_since: '2026-03-01T02:00:00.000Z',
  failures: 84,
}

const ALERT = {
  alert: ID,
  rule: ID,
  metric: oneOf(...ALERT_METRICS),
  severity: oneOf(...ALERT_SEVERITIES),
  value: NUMBER,
  threshold: NUMBER,
  window_seconds: COUNT,
  details: ANYTHING,
  summary: TEXT,
  silenced: FLAG,
  fired_at: TIME,
}
const ABOUT = { tenant: ID, webhook: ID, subject: ID }
const ALERT_EXAMPLE = {
  alert: 'alert_17',
  rule: 'webhook_success_rate',
  metric: 'webhook_success_rate',
  severity: 'warning',
  tenant: 'acme',
  webhook: EXAMPLE.webhook,
  value: 0.25,
  threshold: 0.9,
  window_seconds: 600,
  details: { attempts: 120, delivered: 30 },
  summary: `Of 120 attempts of webhook ${EXAMPLE.webhook} of tenant acme in the last 600 s 25 % delivered, less than 90 %.`,
  silenced: false,
  fired_at: '2026-03-01T02:00:00.000Z',
}

/** What Posthorn tells a tenant about its webhooks. */
export const OWN_EVENT_TYPES_BUILT_IN: readonly OwnType[] = [
  {
    type: 'posthorn.webhook.failing',
    description: 'A webhook has done nothing but fail for long, and will be disabled when it goes on like that.',
    schema: object({ ...FAILURES, failed_seconds: COUNT, disable_after_seconds: COUNT }, LAST),
    example: {
      ...EXAMPLE,
      failed_seconds: 216_000,
      disable_after_seconds: 432_000,
      last_status_code: 503,
      last_error_class: 'server.resource',
    },
  },
  {
    type: 'posthorn.webhook.disabled',
    description: 'A webhook was disabled because it did nothing but fail.',
    schema: object({ ...FAILURES, rule: oneOf('failing'), failed_seconds: COUNT, disable_after_seconds: COUNT }),
    example: { ...EXAMPLE, rule: 'failing', failed_seconds: 432_000, disable_after_seconds: 432_000 },
  },
  {
    type: 'posthorn.webhook.recovered',
    description: 'A webhook that was told to be failing, or was disabled for it, takes events again or was enabled.',
    schema: object({ webhook: ID, url: ID, by: oneOf('success', 'enabled') }),
    example: { webhook: EXAMPLE.webhook, url: EXAMPLE.url, by: 'success' },
  },
  {
    type: 'posthorn.alert.firing',
    description: 'An alert fires: something is to be looked at.',
    schema: object(ALERT, ABOUT),
    example: ALERT_EXAMPLE,
  },
  {
    type: 'posthorn.alert.resolved',
    description: 'An alert that fired has ended.',
    schema: object({ ...ALERT, resolved_at: TIME, by: oneOf('recovered', 'inactive') }, ABOUT),
    example: { ...ALERT_EXAMPLE, value: 0.98, resolved_at: '2026-03-01T02:25:00.000Z', by: 'recovered' },
  },
]

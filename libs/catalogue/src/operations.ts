import type { BuiltInEventType } from './event-type.js'
import { COUNT, FLAG, ID, NUMBER, object, oneOf, SHARE, TEXT, TEXTS, TIME } from './json-types.js'

const SEVERITY = oneOf('info', 'warning', 'high', 'critical')

/** The state of the systems that publish. */
export const SYSTEM_EVENT_TYPES: readonly BuiltInEventType[] = [
  {
    type: 'system.health',
    description: 'The regular report of a system about itself.',
    schema: object(
      { system: ID, status: oneOf('healthy', 'degraded', 'failing') },
      { uptime_s: COUNT, load: NUMBER, memory_used: SHARE },
    ),
    example: { system: 'search-eu-1', status: 'healthy', uptime_s: 86_400, load: 0.42, memory_used: 0.61 },
  },
  {
    type: 'system.alert',
    description: 'A measure of a system crossed a threshold: somebody should look.',
    schema: object({ system: ID, severity: SEVERITY, measure: ID }, { value: NUMBER, threshold: NUMBER }),
    example: { system: 'search-eu-1', severity: 'warning', measure: 'disk_used', value: 0.91, threshold: 0.9 },
  },
  {
    type: 'system.error',
    description: 'A system failed at something that it should do.',
    schema: object({ system: ID, code: ID, message: TEXT }),
    example: { system: 'search-eu-1', code: 'index_corrupt', message: 'segment 14 has a bad checksum' },
  },
]

/** What security people want to hear of at once. */
export const SECURITY_EVENT_TYPES: readonly BuiltInEventType[] = [
  {
    type: 'security.alert',
    description: 'Something suspicious was seen; nothing is known to be lost.',
    schema: object({ alert_id: ID, severity: SEVERITY, rule: ID }, { address: ID, count: COUNT }),
    example: { alert_id: 'sec_1009', severity: 'high', rule: 'many_failed_logins', address: '203.0.113.9', count: 48 },
  },
  {
    type: 'security.breach',
    description: 'An intrusion or a leak is confirmed.',
    schema: object({ incident_id: ID, severity: SEVERITY, scope: TEXTS }, { affected: COUNT, contained: FLAG }),
    example: { incident_id: 'inc_204', severity: 'critical', scope: ['accounts'], affected: 3, contained: true },
  },
  {
    type: 'security.update',
    description: 'A security fix is available or was installed.',
    schema: object({ update_id: ID, component: ID, installed: FLAG }, { advisory: ID, version: ID }),
    example: {
      update_id: 'upd_31',
      advisory: 'CVE-2026-00001',
      component: 'gateway',
      version: '4.2.1',
      installed: true,
    },
  },
]

const WINDOW = { maintenance_id: 'mnt_88', systems: ['search-eu-1', 'search-eu-2'] } as const
const WINDOW_FIELDS = { maintenance_id: ID, systems: TEXTS }

/** Planned work. */
export const MAINTENANCE_EVENT_TYPES: readonly BuiltInEventType[] = [
  {
    type: 'maintenance.start',
    description: 'A maintenance window began.',
    schema: object(WINDOW_FIELDS, { expected_end: TIME, impact: TEXT }),
    example: { ...WINDOW, expected_end: '2026-03-01T04:00:00Z', impact: 'search is read-only' },
  },
  {
    type: 'maintenance.end',
    description: 'A maintenance window ended.',
    schema: object({ ...WINDOW_FIELDS, ended_at: TIME, result: oneOf('completed', 'aborted') }),
    example: { ...WINDOW, ended_at: '2026-03-01T03:41:00Z', result: 'completed' },
  },
  {
    type: 'maintenance.schedule',
    description: 'A maintenance window was planned, moved or cancelled.',
    schema: object({
      ...WINDOW_FIELDS,
      starts_at: TIME,
      ends_at: TIME,
      change: oneOf('planned', 'moved', 'cancelled'),
    }),
    example: { ...WINDOW, starts_at: '2026-03-01T02:00:00Z', ends_at: '2026-03-01T04:00:00Z', change: 'planned' },
  },
]

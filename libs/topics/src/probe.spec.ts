import { describe, expect, test } from '@jest/globals'
import { checkEvent, OWN_SOURCE, PROBE_TENANT, PROBE_TYPE, type WebhookEvent } from '@posthorn/webhook'
import { decodeEvent, encodeEvent } from './events.js'

const probe: WebhookEvent = {
  tenant: PROBE_TENANT,
  id: '1',
  source: OWN_SOURCE,
  type: PROBE_TYPE,
  time: '2026-11-28T12:00:00.000Z',
  contenttype: 'application/json',
}
const read = (change: Partial<WebhookEvent>) =>
  decodeEvent({ ...encodeEvent({ ...probe, ...change }, Buffer.from('{}')), timestamp: 0 }, undefined).kind

describe('A probe', () => {
  test('S13 is read from events.v1, of its tenant, type and source alone', () => {
    expect(read({})).toBe('event')
    for (const change of [{ tenant: 'acme' }, { source: '/s' }, { type: 'agent.created' }, { type: 'posthorn.other' }])
      expect(read(change)).toBe('bad')
  })

  test('S13 cannot be published', () => {
    expect(checkEvent(probe).map(({ pointer }) => pointer)).toEqual(['/tenant', '/type'])
  })
})

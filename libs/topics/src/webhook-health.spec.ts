import { describe, expect, test } from '@jest/globals'
import { RESERVED_PREFIX } from '@posthorn/webhook'
import { decodeEvent, encodeEvent } from './events.js'
import { encodeOwnEvent, type OwnEvent } from './own-events.js'
import { decodeDocument } from './tables.js'
import { decodeHealth, encodeHealth, encodeNoHealth, type WebhookHealth } from './webhook-health.js'
import { decodeGone, decodeParked } from './webhook-state.js'

const health: WebhookHealth = {
  webhook: 'webhook_1',
  tenant: 'acme',
  version: 7,
  health: 'due',
  failingSince: 1_700_000_000_000,
  failures: 12,
  countedMs: 432_000_000,
}

describe('the facet health', () => {
  test('comes back as it was written, and is nothing to the readers of other facets', () => {
    const { key, value } = encodeHealth(health)
    expect(key?.toString()).toBe('webhook_1/health')
    expect(decodeHealth(value)).toEqual({
      kind: 'document',
      document: { ...health, id: 'webhook_1/health', status: 'health' },
    })
    expect([decodeGone(value), decodeParked(value)]).toEqual([{ kind: 'tombstone' }, { kind: 'tombstone' }])
    expect(encodeNoHealth('webhook_1')).toEqual({ key, value: null })
  })

  test.each([
    ['webhook', 7],
    ['tenant', undefined],
    ['health', 'ill'],
    ['failures', '12'],
    ['countedMs', 1.5],
    ['failingSince', undefined],
  ])('is not read with a wrong %s', (name, wrong) => {
    const document = { ...JSON.parse(encodeHealth(health).value!.toString()), [name]: wrong }
    const value = Buffer.from(JSON.stringify(document))
    expect(decodeDocument(value).kind).toBe('document')
    expect(decodeHealth(value)).toMatchObject({ kind: 'bad', detail: expect.stringContaining(name) })
  })
})

describe('an event of our own', () => {
  const own: OwnEvent = {
    id: 'webhook_1.failing.7',
    tenant: 'acme',
    type: 'posthorn.webhook.failing',
    subject: 'webhook_1',
    time: '2026-11-24T12:00:00.000Z',
    data: { webhook: 'webhook_1' },
  }
  const read = (type: string, source: string) => {
    const event = { tenant: 'acme', id: '1', source, type, time: own.time, contenttype: 'application/json' }
    return decodeEvent({ ...encodeEvent(event, Buffer.from('{}')), timestamp: 0 }, undefined).kind
  }

  test('is read from events.v1, in the order of its webhook', () => {
    const record = encodeOwnEvent(own)
    expect(record.key?.toString()).toBe('acme:webhook_1')
    expect(decodeEvent({ ...record, timestamp: 0 }, undefined)).toMatchObject({
      kind: 'event',
      event: { id: own.id, tenant: 'acme', type: own.type, source: '/posthorn', subject: 'webhook_1', time: own.time },
    })
  })

  test('is none under another name or of another source', () => {
    expect(read('posthorn.webhook.recovered', '/posthorn')).toBe('event')
    expect(read('posthorn.webhook.failing', '/v1/publish')).toBe('bad')
    expect(read(`${RESERVED_PREFIX}webhook.invented`, '/posthorn')).toBe('bad')
    expect(() => encodeOwnEvent({ ...own, type: 'posthorn.other' as OwnEvent['type'] })).toThrow('no event of our own')
  })
})

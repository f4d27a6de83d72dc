import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { WebhookEvent } from './event.js'
import { formatBody } from './format.js'

const event: WebhookEvent = {
  tenant: 'acme',
  id: '1',
  source: '/agents',
  type: 'agent.created',
  time: '2026-01-31T12:00:00Z',
  contenttype: 'application/json',
}
const body = (data: string | Buffer, contenttype = 'application/json') =>
  formatBody('standard', { ...event, contenttype }, Buffer.from(data)).body.toString()

describe('format', () => {
  it('S12 carries JSON data byte for byte, odd white space, numbers and escapes included', () => {
    const data = '{ "b" : 1.0e+3,\n\t"a":"\\u00e4ä", "a": 12345678901234567890 }'
    expect(body(data)).toBe(`{"type":"agent.created","timestamp":"2026-01-31T12:00:00Z","data":${data}}`)
  })

  it('S12 writes the absence of data as null', () => {
    expect(body('')).toBe('{"type":"agent.created","timestamp":"2026-01-31T12:00:00Z","data":null}')
  })

  it('S12 carries other data as base64 with its media type', () => {
    expect(body(Buffer.from([0, 255, 10]), 'image/png')).toBe(
      '{"type":"agent.created","timestamp":"2026-01-31T12:00:00Z","data_base64":"AP8K","datacontenttype":"image/png"}',
    )
    expect(body('hi', 'text/plain; x="a"')).toBe(
      '{"type":"agent.created","timestamp":"2026-01-31T12:00:00Z","data_base64":"aGk=","datacontenttype":"text/plain; x=\\"a\\""}',
    )
  })

  it('S12 is JSON for any data, and says so', () => {
    fc.assert(
      fc.property(fc.json(), fc.uint8Array(), (json, bytes) => {
        const text = formatBody('standard', event, Buffer.from(json))
        expect(text.contentType).toBe('application/json')
        expect(JSON.parse(text.body.toString())).toEqual({
          type: event.type,
          timestamp: event.time,
          data: JSON.parse(json),
        })
        const other = formatBody('standard', { ...event, contenttype: 'application/x' }, Buffer.from(bytes))
        expect(Buffer.from(JSON.parse(other.body.toString()).data_base64, 'base64')).toEqual(Buffer.from(bytes))
      }),
    )
  })
})

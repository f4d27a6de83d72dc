import { createHmac, verify } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { HTTP } from 'cloudevents'
import fc from 'fast-check'
import { checkEvent, type WebhookEvent } from './event.js'
import { FORMATS, formatEvent, type Format } from './format.js'
import { headerMediaType, type Formattable } from './formatted.js'
import { compileSecret, privateSecretFrom, secretBytes, secretFrom, verifierOf } from './signature.js'

const SECRET = secretFrom(Buffer.alloc(32, 1))
const event: WebhookEvent = {
  tenant: 'acme',
  id: '1',
  source: '/agents',
  type: 'agent.created',
  time: '2026-01-31T12:00:00Z',
  contenttype: 'application/json',
}

function format(kind: Format, data: Buffer | string, change: Partial<WebhookEvent> = {}, secrets = [SECRET]) {
  const given: Formattable = {
    delivery: {
      id: 'delivery_1',
      webhook: 'webhook_1',
      tenant: 'acme',
      run: '0',
      attempt: 2,
      event: { ...event, ...change },
    },
    data: Buffer.from(data),
    keys: secrets.map(compileSecret),
    apiUrl: 'https://api.example',
  }
  const { headers, body } = formatEvent(kind, given)
  return { headers, body: body.toString(), bytes: body }
}
const contentType = (kind: Format, contenttype: string) => format(kind, 'x', { contenttype }).headers['content-type']

/** Text as attributes have it: 1 to 40 characters without control ones. */
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter(one => !/[\p{Cc}]/u.test(one))
const events = fc.record(
  {
    tenant: fc.constant('acme'),
    id: text,
    source: text,
    type: fc.constant('agent.created'),
    time: fc.constant('2026-01-31T12:00:00.123456+01:00'),
    contenttype: fc.constantFrom('application/json', 'text/plain; x="é"', 'application/vnd.a+json', 'image/png'),
    partitionkey: text,
    subject: text,
    dataschema: fc.constant('https://example.com/schema'),
    extensions: fc.dictionary(fc.stringMatching(/^x[a-z0-9]{1,8}$/), text, { maxKeys: 4 }),
  },
  { requiredKeys: ['tenant', 'id', 'source', 'type', 'time', 'contenttype'] },
) as fc.Arbitrary<WebhookEvent>

describe('S12 standard', () => {
  const body = (data: string | Buffer, contenttype = 'application/json') =>
    format('standard', data, { contenttype }).body

  it('carries JSON data byte for byte, odd white space, numbers and escapes included', () => {
    const data = '{ "b" : 1.0e+3,\n\t"a":"\\u00e4ä", "a": 12345678901234567890 }'
    expect(body(data)).toBe(`{"type":"agent.created","timestamp":"2026-01-31T12:00:00Z","data":${data}}`)
  })

  it('writes the absence of data as null', () => {
    expect(body('')).toBe('{"type":"agent.created","timestamp":"2026-01-31T12:00:00Z","data":null}')
  })

  it('carries other data as base64 with its media type', () => {
    expect(body(Buffer.from([0, 255, 10]), 'image/png')).toBe(
      '{"type":"agent.created","timestamp":"2026-01-31T12:00:00Z","data_base64":"AP8K","datacontenttype":"image/png"}',
    )
    expect(body('hi', 'text/plain; x="a"')).toBe(
      '{"type":"agent.created","timestamp":"2026-01-31T12:00:00Z","data_base64":"aGk=","datacontenttype":"text/plain; x=\\"a\\""}',
    )
  })
})

describe('S3 S12 every format', () => {
  it('is made of any event and data, as what it says it is, with the bytes of the data', () => {
    fc.assert(
      fc.property(events, fc.json(), fc.constantFrom(...FORMATS), (given, json, kind) => {
        expect(checkEvent(given)).toEqual([])
        const { headers, body, bytes } = format(kind, json, given)
        for (const [name, value] of Object.entries(headers)) {
          expect(name).toMatch(/^[a-z0-9-]+$/)
          expect(value).toMatch(/^[\t\x20-\x7e]+$/)
        }
        const isBytes = kind === 'raw' || kind === 'cloudevents_binary'
        if (isBytes) expect(bytes).toEqual(Buffer.from(json))
        else JSON.parse(body)
        if (!isBytes && kind !== 'thin' && given.contenttype.endsWith('json')) expect(body).toContain(`"data":${json}`)
      }),
      { numRuns: 500 },
    )
  })

  it('takes data that is empty, and attributes with half a surrogate pair', () => {
    const odd = { id: 'a\ud800', subject: '\udc00', extensions: { x: '\ud800' } }
    for (const kind of FORMATS) {
      const { body, headers } = format(kind, '', odd)
      if (headers['content-type'].includes('json') && body !== '') JSON.parse(body)
    }
    expect(format('thin', '', odd).body).toContain('/v1/events/a%EF%BF%BD?')
  })
})

describe('S12 cloudevents', () => {
  it.each(['cloudevents', 'cloudevents_binary'] as const)('%s is read by the SDK of CloudEvents', kind => {
    fc.assert(
      fc.property(events, fc.jsonValue({ maxDepth: 1 }), (given, value) => {
        const sent = { ...given, contenttype: 'application/json', time: '2026-01-31T12:00:00.123Z' }
        const { headers, body } = format(kind, JSON.stringify({ value }), sent)
        const decoded = Object.fromEntries(
          Object.entries(headers).map(([name, text]) => [
            name,
            name.startsWith('ce-') ? decodeURIComponent(text) : text,
          ]),
        )
        const read = HTTP.toEvent({ headers: decoded, body }) as unknown as Record<string, unknown>
        const { tenant: _tenant, contenttype, extensions, ...attributes } = sent
        expect(read).toMatchObject({ specversion: '1.0', ...attributes, ...extensions, datacontenttype: contenttype })
        expect(read.data).toEqual(JSON.parse(JSON.stringify({ value })))
      }),
    )
  })

  it('escapes headers as the HTTP binding says', () => {
    const { headers } = format('cloudevents_binary', '{}', { subject: 'Euro € "50%" 😀~!' })
    expect(headers['ce-subject']).toBe('Euro%20%E2%82%AC%20%2250%25%22%20%F0%9F%98%80~!')
  })

  it('has other data as base64, and none where there is none', () => {
    expect(format('cloudevents', Buffer.from([255]), { contenttype: 'image/png' }).body).toContain(
      '"data_base64":"/w=="',
    )
    expect(JSON.parse(format('cloudevents', '').body)).not.toHaveProperty('data')
    expect(format('cloudevents_binary', '').body).toBe('')
  })
})

describe('S12 enveloped', () => {
  const cut = (body: string) => `${body.slice(0, body.lastIndexOf(',"signature":'))}}`

  it('has header, body and signature, in that order', () => {
    const { body } = format('enveloped', '{"a":1}', { subject: 's', extensions: { traceparent: 't' } })
    const parsed = JSON.parse(body)
    expect(Object.keys(parsed)).toEqual(['header', 'body', 'signature'])
    expect(parsed).toEqual({
      header: { type: 'agent.created', timestamp: '2026-01-31T12:00:00Z', id: '1' },
      body: {
        data: { a: 1 },
        metadata: { source: '/agents', subject: 's', datacontenttype: 'application/json', traceparent: 't' },
        context: { tenant: 'acme', webhook: 'webhook_1', delivery: 'delivery_1', run: '0', attempt: 2 },
      },
      signature: { hmac: expect.any(String), algorithm: 'HMAC-SHA256', version: '1' },
    })
  })

  it('S6 is signed over header and body, and a changed byte of either does not fit', () => {
    fc.assert(
      fc.property(events, fc.json(), (given, json) => {
        const { body } = format('enveloped', json, given)
        const hmac = (content: string) => createHmac('sha256', secretBytes(SECRET)!).update(content).digest('base64')
        const signed = cut(body)
        expect(Object.keys(JSON.parse(signed))).toEqual(['header', 'body'])
        expect(JSON.parse(body).signature.hmac).toBe(hmac(signed))
      }),
    )
  })

  it('S6 is signed by every active secret, of either kind', () => {
    const pair = privateSecretFrom(Buffer.alloc(32, 2))
    const old = secretFrom(Buffer.alloc(32, 3))
    const { body } = format('enveloped', '{"a":",\\"signature\\":1"}', {}, [SECRET, pair, old])
    const { signature } = JSON.parse(body)
    expect(signature).toMatchObject({ algorithm: 'HMAC-SHA256 Ed25519', version: '1' })
    const macs = [SECRET, old].map(one => createHmac('sha256', secretBytes(one)!).update(cut(body)).digest('base64'))
    expect(signature.hmac).toBe(macs.join(' '))
    const spki = Buffer.concat([
      Buffer.from('302a300506032b6570032100', 'hex'),
      Buffer.from(verifierOf(pair).slice('whpk_'.length), 'base64'),
    ])
    const key = { key: spki, format: 'der', type: 'spki' } as const
    expect(verify(null, Buffer.from(cut(body)), key, Buffer.from(signature.ed25519, 'base64'))).toBe(true)
  })
})

describe('S12 raw and thin', () => {
  it('raw is the data and its media type', () => {
    expect(format('raw', '<a/>', { contenttype: 'application/xml; charset=utf-8' })).toMatchObject({
      headers: { 'content-type': 'application/xml; charset=utf-8' },
      body: '<a/>',
    })
  })

  it('a media type that no header can have loses its parameters', () => {
    for (const kind of ['raw', 'cloudevents_binary'] as const) {
      expect(contentType(kind, 'text/plain; title=é')).toBe('text/plain')
      expect(contentType(kind, 'text/plain; title=😀; a=b')).toBe('text/plain')
      expect(contentType(kind, 'text/plain;a="b" ')).toBe('text/plain;a="b"')
    }
    expect(headerMediaType('a/b')).toBe('a/b')
  })

  it('thin says where the data is, and has none of it', () => {
    expect(JSON.parse(format('thin', '{"secret":1}', { id: 'a/b?c', source: '/s&t' }).body)).toEqual({
      type: 'agent.created',
      timestamp: '2026-01-31T12:00:00Z',
      id: 'a/b?c',
      source: '/s&t',
      link: 'https://api.example/v1/events/a%2Fb%3Fc?source=%2Fs%26t',
    })
  })
})

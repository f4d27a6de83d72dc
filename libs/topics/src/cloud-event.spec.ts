import { describe, expect, it } from '@jest/globals'
import { HTTP, CloudEvent } from 'cloudevents'
import { readBinary, readStructured, type EventDefaults, type ReadEvent } from './cloud-event.js'
import { decodeEvent } from './events.js'

const defaults: EventDefaults = { tenant: 'acme', time: Date.UTC(2026, 0, 31, 12) }
const base = { specversion: '1.0', id: '1', source: '/s', type: 'agent.created', time: '2026-01-31T11:00:00Z' }

const structured = (text: string, form: 'cloudevent' | 'plain' = 'cloudevent', more: Partial<EventDefaults> = {}) =>
  readStructured(Buffer.from(text), JSON.parse(text), { ...defaults, ...more }, form)
const members = (changes: Record<string, unknown>, form?: 'cloudevent' | 'plain') =>
  structured(JSON.stringify({ ...base, ...changes }), form)
const pointers = (read: ReadEvent) => (read.kind === 'bad' ? read.problems.map(problem => problem.pointer) : [])
const dataOf = (read: ReadEvent) => (read.kind === 'event' ? read.data.toString() : JSON.stringify(read.problems))

describe('readStructured', () => {
  it('reads every attribute, and the rest as extensions', () => {
    const all = {
      datacontenttype: 'text/plain',
      subject: 'x',
      dataschema: 'y',
      partitionkey: 'k',
      tenant: 'acme',
      data: 'hi',
    }
    expect(members({ ...all, seq: 7, last: true, traceparent: 't', none: null })).toEqual({
      kind: 'event',
      event: {
        tenant: 'acme',
        id: '1',
        source: '/s',
        type: 'agent.created',
        time: base.time,
        contenttype: 'text/plain',
        subject: 'x',
        dataschema: 'y',
        partitionkey: 'k',
        extensions: { seq: '7', last: 'true', traceparent: 't' },
      },
      data: Buffer.from('hi'),
    })
  })

  it('takes the data as the bytes that were sent', () => {
    const text = `${JSON.stringify(base).slice(0, -1)}, "data" : { "n" : 1.0,\t"big":12345678901234567890 } }`
    expect(dataOf(structured(text))).toBe('{ "n" : 1.0,\t"big":12345678901234567890 }')
  })

  it('takes text as JSON where the data is JSON, and as itself where it is not', () => {
    expect(dataOf(members({ data: 'hi' }))).toBe('"hi"')
    expect(dataOf(members({ data: 'hi', datacontenttype: 'application/json' }))).toBe('"hi"')
    expect(dataOf(members({ data: '<a/>', datacontenttype: 'application/xml' }))).toBe('<a/>')
    expect(dataOf(members({ data: null }))).toBe('null')
    expect(dataOf(members({}))).toBe('')
  })

  it('takes bytes from data_base64', () => {
    expect(dataOf(members({ data_base64: 'aGk=', datacontenttype: 'text/plain' }))).toBe('hi')
    expect(dataOf(members({ data_base64: 'eyJhIjoxfQ' }))).toBe('{"a":1}')
    for (const value of [1, 'a b=', 'a', 'aGk!', { a: 1 }])
      expect(pointers(members({ data_base64: value }))).toEqual(['/data_base64'])
    expect(pointers(members({ data_base64: 'aGk=', data: 1 }))).toEqual(['/data_base64'])
    expect(pointers(members({ data_base64: 'aGk=' }))).toEqual(['/data'])
  })

  it('has defaults for what the plain form leaves out', () => {
    const read = structured('{"type":"a.b","data":[1]}', 'plain', { id: 'event_1', source: '/publish' })
    expect(read).toEqual({
      kind: 'event',
      event: {
        tenant: 'acme',
        id: 'event_1',
        source: '/publish',
        type: 'a.b',
        time: '2026-01-31T12:00:00.000Z',
        contenttype: 'application/json',
      },
      data: Buffer.from('[1]'),
    })
  })

  it.each([
    ['{"type":"a","data":1,"typ":"a"}', '/typ'],
    ['{"type":"a","data":1,"a/b~c":1}', '/a~1b~0c'],
    ['{"type":"a","data":1,"__proto__":"x"}', '/__proto__'],
    ['{"type":"a"}', '/data'],
    ['{"type":5,"data":1}', '/type'],
    ['{"data":1}', '/type'],
    ['{"type":"a","data":1,"id":""}', '/id'],
    ['{"type":"a","data":1,"time":"yesterday"}', '/time'],
    ['{"type":"a","data":1,"tenant":"other"}', '/tenant'],
    ['[]', ''],
    ['null', ''],
    ['"x"', ''],
    ['7', ''],
  ])('names the fault of the plain form %s', (text, pointer) => {
    expect(pointers(structured(text, 'plain', { id: 'event_1', source: '/publish' }))).toEqual([pointer])
  })

  it.each([
    [{ specversion: undefined }, '/specversion'],
    [{ specversion: '0.3' }, '/specversion'],
    [{ specversion: 1 }, '/specversion'],
    [{ id: undefined }, '/id'],
    [{ id: 1 }, '/id'],
    [{ source: undefined }, '/source'],
    [{ source: 'a\nb' }, '/source'],
    [{ type: undefined }, '/type'],
    [{ type: 'a..b' }, '/type'],
    [{ type: 'posthorn.attempt' }, '/type'],
    [{ time: 'now' }, '/time'],
    [{ time: 5 }, '/time'],
    [{ subject: '' }, '/subject'],
    [{ partitionkey: 4 }, '/partitionkey'],
    [{ dataschema: '' }, '/dataschema'],
    [{ datacontenttype: 'json' }, '/datacontenttype'],
    [{ tenant: 'other' }, '/tenant'],
    [{ tenant: 3 }, '/tenant'],
    [{ Extension: 'x' }, '/Extension'],
    [{ 'a/b': 'x' }, '/a~1b'],
    [{ ext: 1.5 }, '/ext'],
    [{ ext: {} }, '/ext'],
    [{ ext: 'x'.repeat(1025) }, '/ext'],
  ])('names the fault of %j', (change, pointer) => {
    expect(pointers(members(change))).toEqual([pointer])
  })

  it('does not lose an attribute named __proto__', () => {
    const text = `${JSON.stringify(base).slice(0, -1)},"__proto__":"x"}`
    expect(pointers(structured(text))).toEqual(['/__proto__'])
  })

  it('reports every fault at once', () => {
    expect(pointers(members({ id: '', type: '.', ext: [], specversion: '2' })).sort()).toEqual(
      ['/ext', '/id', '/specversion', '/type'].sort(),
    )
  })

  it('needs a tenant from somewhere', () => {
    expect(pointers(structured(JSON.stringify(base), 'cloudevent', { tenant: undefined }))).toEqual(['/tenant'])
    const own = structured(JSON.stringify({ ...base, tenant: 'own' }), 'cloudevent', { tenant: undefined })
    expect(own).toMatchObject({ kind: 'event', event: { tenant: 'own' } })
  })

  it('refuses JSON data that is no UTF-8', () => {
    const raw = Buffer.concat([
      Buffer.from(`${JSON.stringify(base).slice(0, -1)},"data":"`),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ])
    expect(pointers(readStructured(raw, JSON.parse(raw.toString()), defaults, 'cloudevent'))).toEqual(['/data'])
  })

  it('reads what the cloudevents package writes', () => {
    const sent = new CloudEvent({ ...base, data: { a: [1] }, ext: 'x' })
    const { body } = HTTP.structured(sent)
    expect(structured(String(body))).toMatchObject({
      kind: 'event',
      event: {
        id: '1',
        source: '/s',
        type: 'agent.created',
        contenttype: 'application/json',
        extensions: { ext: 'x' },
      },
      data: Buffer.from('{"a":[1]}'),
    })
  })
})

describe('readBinary', () => {
  it('takes the body as it is', () => {
    expect(dataOf(readBinary(base, Buffer.from(' {"a": 1.0} '), defaults))).toBe(' {"a": 1.0} ')
    const png = Buffer.from([0xff, 0, 1])
    expect(readBinary({ ...base, datacontenttype: 'image/png' }, png, defaults)).toMatchObject({ data: png })
    expect(dataOf(readBinary(base, Buffer.alloc(0), defaults))).toBe('')
  })

  it.each([
    ['{', '/data'],
    ['{} x', '/data'],
    ['\ufeff{}', '/data'],
  ])('names the fault of the JSON body %j', (body, pointer) => {
    expect(pointers(readBinary(base, Buffer.from(body), defaults))).toEqual([pointer])
  })

  it('names the faults of the attributes', () => {
    expect(pointers(readBinary({ ...base, specversion: '0.3', id: '' }, Buffer.from('1'), defaults))).toEqual([
      '/specversion',
      '/id',
    ])
    expect(pointers(readBinary({ ...base, data: 'x' }, Buffer.from('1'), defaults))).toEqual(['/data'])
    expect(pointers(readBinary(base, Buffer.from([0x22, 0xff, 0x22]), defaults))).toEqual(['/data'])
  })
})

describe('decodeEvent', () => {
  const record = (
    headers: Record<string, string | Buffer | (string | Buffer)[]>,
    value: string | Buffer | null = '{"a":1}',
  ) => ({
    key: null,
    value: value === null ? null : Buffer.from(value),
    headers,
    timestamp: defaults.time,
  })
  const binary = { ce_specversion: '1.0', ce_id: '1', ce_source: '/s', ce_type: 'a.b' }
  const envelope = JSON.stringify({ ...base, data: { a: 1 } })
  const STRUCTURED = { 'content-type': 'application/cloudevents+json; charset=UTF-8' }

  it('reads the binary form; the log gives the time, the deployment the tenant', () => {
    expect(decodeEvent(record({ ...binary, ce_x: Buffer.from('ü') }), 'default')).toEqual({
      kind: 'event',
      event: {
        tenant: 'default',
        id: '1',
        source: '/s',
        type: 'a.b',
        time: '2026-01-31T12:00:00.000Z',
        contenttype: 'application/json',
        extensions: { x: 'ü' },
      },
      data: Buffer.from('{"a":1}'),
    })
  })

  it('reads names of headers in any case, the first of several values, and a tombstone as no data', () => {
    const headers = {
      CE_SpecVersion: '1.0',
      Ce_Id: ['1', '2'],
      ce_source: '/s',
      ce_type: 'a',
      'Content-Type': 'text/plain',
    }
    expect(decodeEvent(record(headers, null), 'default')).toMatchObject({
      kind: 'event',
      event: { id: '1', contenttype: 'text/plain' },
      data: Buffer.alloc(0),
    })
  })

  it('reads the structured form', () => {
    expect(decodeEvent(record(STRUCTURED, envelope), 'default')).toMatchObject({
      kind: 'event',
      event: { tenant: 'default', id: '1' },
      data: Buffer.from('{"a":1}'),
    })
  })

  it('knows the tenant by header, else by attribute, else by default', () => {
    const own = JSON.stringify({ ...base, tenant: 'own' })
    expect(decodeEvent(record(STRUCTURED, own), 'default')).toMatchObject({ event: { tenant: 'own' } })
    expect(decodeEvent(record({ ...STRUCTURED, ce_tenant: 'own' }, own), 'default')).toMatchObject({
      event: { tenant: 'own' },
    })
    expect(pointers(decodeEvent(record({ ...STRUCTURED, ce_tenant: 'other' }, own), 'default'))).toEqual(['/tenant'])
    expect(decodeEvent(record({ ...binary, ce_tenant: 'own' }), 'default')).toMatchObject({ event: { tenant: 'own' } })
    expect(pointers(decodeEvent(record(binary), undefined))).toEqual(['/tenant'])
    expect(pointers(decodeEvent(record(STRUCTURED, envelope), undefined))).toEqual(['/tenant'])
  })

  it('takes traceparent from a plain header, unless the event has its own or it is malformed', () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    expect(decodeEvent(record({ ...binary, traceparent }), 'd')).toMatchObject({
      event: { extensions: { traceparent } },
    })
    expect(decodeEvent(record({ ...binary, traceparent, ce_traceparent: 'own' }), 'd')).toMatchObject({
      event: { extensions: { traceparent: 'own' } },
    })
    expect(decodeEvent(record({ ...binary, traceparent: 'x\u0000' }), 'd')).not.toHaveProperty('event.extensions')
  })

  it.each([
    ['no CloudEvent', {}, '{"a":1}', ''],
    ['a batch', { 'content-type': 'application/cloudevents-batch+json' }, '[]', '/content-type'],
    ['another encoding', { 'content-type': 'application/cloudevents+avro' }, 'x', '/content-type'],
    ['an envelope that is no JSON', STRUCTURED, '{', ''],
    ['an envelope that is an array', STRUCTURED, '[]', ''],
    ['an envelope that is null', STRUCTURED, 'null', ''],
    ['an envelope that is not there', STRUCTURED, null, ''],
    ['a binary event without its version', { ce_id: '1', ce_source: '/s', ce_type: 'a' }, '1', '/specversion'],
    ['a body that is no JSON', binary, 'x', '/data'],
    ['a header without a name', { ...binary, ce_: 'x' }, '1', '/'],
    ['a header named __proto__', { ...binary, ['ce___proto__']: 'x' }, '1', '/__proto__'],
  ])('names the fault of %s', (_what, headers, value, pointer) => {
    expect(pointers(decodeEvent(record(headers, value), 'default'))).toEqual([pointer])
  })
})

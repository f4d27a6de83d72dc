import { describe, expect, it } from '@jest/globals'
import { ApiError } from '@posthorn/api'
import { modeOf, readPublication, type Mode, type Publication } from './publication.js'

const NOW = Date.parse('2026-01-31T12:00:00Z')
const RULES = { tenant: 'acme', now: NOW, maxEventBytes: 1024 }
const CLOUD_EVENT = '{"specversion":"1.0","id":"1","source":"/s","type":"agent.created","data":1}'

function read(mode: Mode, body: string | Buffer, headers: Record<string, string> = {}): Publication {
  return readPublication(mode, headers, Buffer.from(body), RULES)
}

function refusal(act: () => unknown): { code: string; pointers: string[]; detail: string } {
  try {
    act()
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { code: error.code, pointers: error.errors.map(({ pointer }) => pointer), detail: error.message }
  }
  throw new Error('it was accepted')
}

const texts = ({ events }: Publication) => events.map(({ data }) => data.toString())

describe('modeOf', () => {
  it.each([
    ['application/json', {}, 'plain'],
    ['application/cloudevents+json', { 'ce-id': '1' }, 'structured'],
    ['application/cloudevents-batch+json', {}, 'batch'],
    ['application/json', { 'ce-specversion': '1.0' }, 'binary'],
    ['image/png', { 'ce-id': '1' }, 'binary'],
    ['', { 'ce-id': '1' }, 'binary'],
  ] as const)('takes %s with %j as %s', (type, headers, mode) => {
    expect(modeOf(headers, type)).toBe(mode)
  })

  it.each(['text/plain', '', 'application/cloudevents+avro', 'application/x-www-form-urlencoded'])(
    'refuses "%s"',
    type => {
      expect(refusal(() => modeOf({}, type)).code).toBe('media_type_unsupported')
    },
  )
})

describe('readPublication', () => {
  it('keeps the exact bytes of the data, whatever stands around them', () => {
    const data = '{ "big" : 12345678901234567890, "far": 1e400,\n"text":"\\u00e9é😀" }'
    expect(texts(read('plain', `\n{"data"\t:${data} ,"type":"a.b"}  `))).toEqual([data])
    expect(texts(read('plain', `[{"type":"a","data":${data}},\n {"data":  ${data},"type":"b"} ]`))).toEqual([
      data,
      data,
    ])
    expect(texts(read('structured', CLOUD_EVENT.replace(':1}', `: ${data}}`)))).toEqual([data])
    const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'a' }
    expect(texts(read('binary', ` ${data}\n`, headers))).toEqual([` ${data}\n`])
  })

  it('fills in what the plain form leaves out', () => {
    const { form, events } = read('plain', '{"type":"agent.created","data":null}')
    expect(form).toBe('one')
    expect(events[0]!.event).toEqual({
      tenant: 'acme',
      id: expect.stringMatching(/^event_[0-9a-z]{26}$/),
      source: '/v1/publish',
      type: 'agent.created',
      time: '2026-01-31T12:00:00.000Z',
      contenttype: 'application/json',
    })
  })

  it('takes every attribute of the plain form', () => {
    const attributes = {
      id: 'i',
      source: '/s',
      type: 't',
      time: '2026-01-01T00:00:00+02:00',
      partitionkey: 'k',
      subject: 'u',
      dataschema: 'https://x/y',
    }
    const { events } = read('plain', JSON.stringify({ ...attributes, datacontenttype: 'text/plain', data: 'hé' }))
    expect(events[0]!.event).toEqual({ tenant: 'acme', ...attributes, contenttype: 'text/plain' })
    expect(texts({ form: 'one', events })).toEqual(['hé'])
  })

  it('reads an object with specversion as a CloudEvent, extensions and all', () => {
    const { events } = read('plain', CLOUD_EVENT.replace('"data"', '"myext":true,"data"'))
    expect(events[0]!.event.extensions).toEqual({ myext: 'true' })
  })

  it('demands of a CloudEvent what its specification demands', () => {
    const faults = (body: string) => refusal(() => read('structured', body)).pointers
    expect(faults('{"specversion":"1.0","type":"a"}')).toEqual(['/id', '/source'])
    expect(faults(CLOUD_EVENT.replace('1.0', '0.3'))).toEqual(['/specversion'])
    expect(refusal(() => read('plain', CLOUD_EVENT.replace('1.0', '0.3'))).pointers).toEqual(['/specversion'])
    expect(refusal(() => read('binary', '1', { 'ce-id': '1' })).pointers).toEqual(['/specversion', '/source', '/type'])
  })

  it('decodes quoted and percent-encoded headers of the binary mode', () => {
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': '"a\\"b"',
      'ce-source': '/%C3%A9',
      'ce-type': 'a',
      'ce-x': '100%',
    }
    const { events } = read('binary', 'bytes', { ...headers, 'content-type': 'text/plain; charset=utf-8' })
    expect(events[0]!.event).toMatchObject({
      id: 'a"b',
      source: '/é',
      contenttype: 'text/plain; charset=utf-8',
      extensions: { x: '100%' },
    })
  })

  it('reads a body that starts with a byte order mark', () => {
    expect(texts(read('plain', '\ufeff[{"type":"a","data": 1 }]'))).toEqual(['1'])
  })

  it('answers an array in its order, and an array of one as an array', () => {
    const { form, events } = read('batch', `[${CLOUD_EVENT}]`)
    expect([form, events.length]).toEqual(['many', 1])
    const many = read('plain', `[{"type":"b","data":1},${CLOUD_EVENT}]`)
    expect(many.events.map(({ event }) => event.type)).toEqual(['b', 'agent.created'])
  })

  it.each([
    ['plain', '', 'body_invalid', []],
    ['plain', '{"type":', 'body_invalid', []],
    ['plain', Buffer.from([0x22, 0xff, 0x22]), 'body_invalid', []],
    ['plain', '5', 'event_invalid', ['']],
    ['plain', 'null', 'event_invalid', ['']],
    ['plain', '[]', 'batch_size', []],
    ['batch', '[]', 'batch_size', []],
    ['plain', `[${'1,'.repeat(1000)}1]`, 'batch_size', []],
    ['batch', CLOUD_EVENT, 'event_invalid', []],
    ['structured', `[${CLOUD_EVENT}]`, 'event_invalid', ['']],
    ['plain', '{"data":1}', 'event_invalid', ['/type']],
    ['plain', '{"type":"a"}', 'event_invalid', ['/data']],
    ['plain', '{"type":"a","data":1,"color":"red"}', 'event_invalid', ['/color']],
    ['plain', '{"type":"a","data":1,"__proto__":"x"}', 'event_invalid', ['/__proto__']],
    ['plain', '{"type":7,"data":1}', 'event_invalid', ['/type']],
    ['plain', '{"type":"a b","data":1}', 'event_invalid', ['/type']],
    ['plain', '{"type":"posthorn.attempt","data":1}', 'event_invalid', ['/type']],
    ['plain', '{"type":"a","time":"yesterday","data":1}', 'event_invalid', ['/time']],
    ['plain', '{"type":"a","tenant":"other","data":1}', 'event_invalid', ['/tenant']],
    ['plain', '{"type":"a","id":"","data":1}', 'event_invalid', ['/id']],
    ['plain', '{"type":"a","data":1,"data_base64":"MQ=="}', 'event_invalid', ['/data_base64']],
    ['plain', '{"type":"a","data_base64":"?"}', 'event_invalid', ['/data_base64']],
    ['plain', '[{"type":"a","data":1},2,{"type":"a b"}]', 'event_invalid', ['/1', '/2/data', '/2/type']],
    ['plain', `{"type":"a","data":"${'x'.repeat(1023)}"}`, 'body_too_large', ['/data']],
    ['plain', `[{"type":"a","data":1},{"type":"a","data":"${'x'.repeat(1023)}"}]`, 'body_too_large', ['/1/data']],
  ] as const)('in mode %s refuses %s with %s at %j', (mode, body, code, pointers) => {
    expect(refusal(() => read(mode, body as string))).toMatchObject({ code, pointers })
  })

  it('takes data of exactly the limit', () => {
    expect(texts(read('plain', `{"type":"a","data":"${'x'.repeat(1022)}"}`))[0]).toHaveLength(1024)
  })

  it('lists at most a hundred faults', () => {
    const { pointers, detail } = refusal(() => read('plain', `[${Array(500).fill('{}').join()}]`))
    expect(pointers).toHaveLength(100)
    expect(detail).toContain('(and 999 more)')
  })

  describe('Idempotency-Key', () => {
    const ids = (body: string, key: string) =>
      read('plain', body, { 'idempotency-key': key }).events.map(({ event }) => event.id)

    it('makes the same id for the same key, and only for it', () => {
      const body = '{"type":"a","data":1}'
      expect(ids(body, 'k1')).toEqual(ids(body, 'k1'))
      expect(ids(body, 'k1')).not.toEqual(ids(body, 'k2'))
      expect(ids(body, 'k1')[0]).toMatch(/^event_[0-9a-z]{26}$/)
    })

    it('gives each event of an array an id of its own, and leaves given ids alone', () => {
      const body = '[{"type":"a","data":1},{"type":"a","data":1},{"id":"own","type":"a","data":1}]'
      const [first, second, third] = ids(body, 'k')
      expect(new Set([first, second, third]).size).toBe(3)
      expect(third).toBe('own')
      expect(ids(body, 'k')).toEqual([first, second, third])
    })

    it('is refused when it is empty, too long or not ASCII', () => {
      const binary = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'a' }
      for (const key of ['', 'x'.repeat(256), 'é']) {
        expect(refusal(() => ids('{"type":"a","data":1}', key)).code).toBe('request_invalid')
        const headers = { ...binary, 'idempotency-key': key }
        expect(refusal(() => read('binary', '1', headers)).code).toBe('request_invalid')
      }
    })
  })
})

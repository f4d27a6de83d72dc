import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { checkEvent } from './event.js'
import { compileSource, type SourceRecord } from './source-mapping.js'
import { parseSource, topicPattern, type SourceDefinition } from './source.js'

const sound = { topic: 'orders', event: { tenant: 'acme', type: 'order.created' } }

function definition(changes: object, event: object = {}): SourceDefinition {
  const parsed = parseSource({ ...sound, ...changes, event: { ...sound.event, ...event } })
  if (parsed.kind === 'bad') throw new Error(JSON.stringify(parsed.problems))
  return parsed.definition
}

function record(changes: Partial<SourceRecord> = {}): SourceRecord {
  return {
    topic: 'orders',
    partition: 3,
    offset: 42,
    timestamp: 1_767_225_600_000,
    key: null,
    value: Buffer.from('{}'),
    ...changes,
  }
}

function eventOf(event: object, of: Partial<SourceRecord> = {}, changes: object = {}) {
  const mapped = compileSource(definition(changes, event))(record(of))
  if (mapped.kind !== 'event') throw new Error(JSON.stringify(mapped))
  return mapped.event
}

function faultsOf(event: object, of: Partial<SourceRecord> = {}, changes: object = {}) {
  const mapped = compileSource(definition(changes, event))(record(of))
  return mapped.kind === 'bad' ? mapped.problems.map(({ pointer }) => pointer) : mapped.kind
}

describe('a definition of a source', () => {
  it('reads a text as a constant, and has its defaults', () => {
    expect(definition({})).toEqual({
      topic: 'orders',
      value: 'json',
      start: 'latest',
      event: { tenant: { constant: 'acme' }, type: { constant: 'order.created' } },
    })
  })

  it.each<[string, object, string[]]>([
    ['nothing', {}, ['/topic', '/event']],
    ['a topic and a pattern', { ...sound, pattern: 'a' }, ['/pattern']],
    ['a topic that cannot be', { ...sound, topic: 'a b' }, ['/topic']],
    ['a topic that is no text', { ...sound, topic: ['a'] }, ['/topic']],
    ['the topic ..', { ...sound, topic: '..' }, ['/topic']],
    ['a broken pattern', { event: sound.event, pattern: '(' }, ['/pattern']],
    ['a pattern that would leave its group', { event: sound.event, pattern: 'a)|(b' }, ['/pattern']],
    ['an endless pattern', { event: sound.event, pattern: 'a'.repeat(257) }, ['/pattern']],
    ['an unknown field', { ...sound, color: 1 }, ['/color']],
    ['an unknown attribute', { ...sound, event: { ...sound.event, colour: 'x' } }, ['/event/colour']],
    ['no tenant and no type', { topic: 'a', event: {} }, ['/event/tenant', '/event/type']],
    ['a type that breaks the rule', { ...sound, event: { tenant: 't', type: 'a b' } }, ['/event/type']],
    ['a reserved type', { ...sound, event: { tenant: 't', type: 'posthorn.x' } }, ['/event/type']],
    ['a tenant that cannot be', { ...sound, event: { tenant: '/', type: 'a' } }, ['/event/tenant']],
    ['two forms in one', { ...sound, event: { tenant: { header: 'a', pointer: '/a' }, type: 'a' } }, ['/event/tenant']],
    ['a pointer without its slash', { ...sound, event: { tenant: { pointer: 'a' }, type: 'a' } }, ['/event/tenant']],
    ['a pointer with a bare tilde', { ...sound, event: { tenant: { pointer: '/~' }, type: 'a' } }, ['/event/tenant']],
    ['an unknown part', { ...sound, event: { tenant: { record: 'value' }, type: 'a' } }, ['/event/tenant']],
    ['a number', { ...sound, event: { tenant: 7, type: null } }, ['/event/tenant', '/event/type']],
    [
      'a pointer into bytes',
      { ...sound, value: 'bytes', event: { tenant: { pointer: '/t' }, type: 'a' } },
      ['/event/tenant/pointer'],
    ],
    ['values of another kind', { ...sound, value: 'avro' }, ['/value']],
    ['a start that is no time', { ...sound, start: 'now' }, ['/start']],
  ])('is refused for %s', (_name, json, pointers) => {
    const parsed = parseSource(json)
    expect(parsed.kind === 'bad' && parsed.problems.map(({ pointer }) => pointer)).toEqual(pointers)
  })

  it.each([null, 7, 'orders', [], undefined])('is refused when it is %j', json => {
    expect(parseSource(json).kind).toBe('bad')
  })

  it('never throws, and what it takes can be compiled', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.record({
            topic: fc.jsonValue(),
            event: fc.dictionary(fc.constantFrom('tenant', 'type', 'id'), fc.jsonValue()),
          }),
        ),
        json => {
          const parsed = parseSource(json)
          if (parsed.kind === 'source') compileSource(parsed.definition)(record())
        },
      ),
    )
  })

  it('has a pattern that matches whole names', () => {
    const pattern = topicPattern('shop\\.a|b')
    expect(['shop.a', 'b', 'shop.ab', 'xb', 'shop-a'].filter(name => pattern.test(name))).toEqual(['shop.a', 'b'])
  })
})

describe('a record becomes an event', () => {
  it('by constants, headers, pointers and parts of the record', () => {
    const event = eventOf(
      {
        tenant: { header: 'tenant' },
        type: { pointer: '/meta/kind' },
        id: { pointer: '/ids/1' },
        source: { record: 'topic' },
        subject: { pointer: '/a~1b~0c' },
        key: { record: 'key' },
        time: { pointer: '/at' },
      },
      {
        key: Buffer.from('k-1'),
        headers: { tenant: [Buffer.from('acme'), 'other'] },
        value: Buffer.from(
          '{"meta":{"kind":"order.paid"},"ids":["x","y"],"a/b~c":true,"at":"2026-02-01T00:00:00+01:00"}',
        ),
      },
    )
    expect(event).toEqual({
      tenant: 'acme',
      type: 'order.paid',
      id: 'y',
      source: 'orders',
      subject: 'true',
      partitionkey: 'k-1',
      time: '2026-02-01T00:00:00+01:00',
      contenttype: 'application/json',
    })
  })

  it('with the defaults of what is not mapped', () => {
    expect(eventOf({})).toEqual({
      tenant: 'acme',
      type: 'order.created',
      id: expect.stringMatching(/^event_[0-9a-z]{26}$/),
      source: 'kafka:orders',
      time: '2026-01-01T00:00:00.000Z',
      contenttype: 'application/json',
    })
  })

  it('with the exact bytes of its value, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('', ' ', '\n'), (json, space) => {
        const value = Buffer.from(space + json + space)
        const mapped = compileSource(definition({}))(record({ value }))
        expect(mapped).toMatchObject({ kind: 'event' })
        if (mapped.kind === 'event') expect(mapped.data.equals(value)).toBe(true)
      }),
    )
  })

  it('with an id that is the same for the same position and another for any other', () => {
    const place = fc.record({
      topic: fc.constantFrom('a', 'a1', 'a11'),
      partition: fc.nat(12),
      offset: fc.nat(12),
      timestamp: fc.nat(2),
    })
    const idOf = compileSource(definition({}))
    const id = (at: Partial<SourceRecord>) => {
      const mapped = idOf(record(at))
      return mapped.kind === 'event' ? mapped.event.id : mapped.kind
    }
    fc.assert(
      fc.property(place, place, (one, other) => {
        expect(id(one) === id(other)).toBe(JSON.stringify(one) === JSON.stringify(other))
      }),
    )
  })

  it('with numbers as they were written: two ids beyond 2^53 never become one', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), number => {
        expect(eventOf({ id: { pointer: '/id' } }, { value: Buffer.from(`{"id":${number}}`) }).id).toBe(String(number))
      }),
    )
    expect(eventOf({ id: { pointer: '/0' } }, { value: Buffer.from('[1.50]') }).id).toBe('1.50')
    expect(eventOf({ id: { pointer: '' } }, { value: Buffer.from('1e400') }).id).toBe('1e400')
  })

  it.each([
    ['milliseconds', '1767225600123', '2026-01-01T00:00:00.123Z'],
    ['RFC 3339', '"2026-01-01T00:00:00Z"', '2026-01-01T00:00:00Z'],
  ])('with a time in %s', (_name, json, time) => {
    expect(eventOf({ time: { pointer: '/at' } }, { value: Buffer.from(`{"at":${json}}`) }).time).toBe(time)
  })

  it('without the key, the time and the subject that it does not have', () => {
    const event = eventOf({ key: { record: 'key' }, time: { header: 'at' }, subject: { pointer: '/s' } })
    expect(event).toMatchObject({ time: '2026-01-01T00:00:00.000Z' })
    expect(event).not.toHaveProperty('partitionkey')
    expect(event).not.toHaveProperty('subject')
  })

  it('with any bytes, where bytes are asked for', () => {
    const value = Buffer.from([0, 255, 7])
    const contenttype = { header: 'content-type' }
    const map = compileSource(definition({ value: 'bytes' }, { contenttype, key: { record: 'key_base64' } }))
    expect(map(record({ value, key: Buffer.from([0, 0, 0, 9]) }))).toMatchObject({
      kind: 'event',
      data: value,
      event: { contenttype: 'application/octet-stream', partitionkey: 'AAAACQ==' },
    })
    const png = map(record({ value, headers: { 'content-type': 'image/png' } }))
    expect(png).toMatchObject({ event: { contenttype: 'image/png' } })
  })

  it("carries the producer's trace on, unless it is malformed", () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    expect(eventOf({}, { headers: { traceparent } }).extensions).toEqual({ traceparent })
    expect(eventOf({}, { headers: { traceparent: 'nonsense' } })).not.toHaveProperty('extensions')
  })
})

describe('a record that cannot become an event', () => {
  it.each<[string, object, Partial<SourceRecord>, string[]]>([
    ['no JSON', {}, { value: Buffer.from('hello') }, ['']],
    ['empty', {}, { value: Buffer.alloc(0) }, ['']],
    ['JSON in broken UTF-8', {}, { value: Buffer.from([0x22, 0xff, 0x22]) }, ['']],
    ['without its type', { type: { pointer: '/type' } }, {}, ['/type']],
    ['with the type null', { type: { pointer: '/type' } }, { value: Buffer.from('{"type":null}') }, ['/type']],
    ['with a type that breaks the rule', { type: { header: 't' } }, { headers: { t: 'a b' } }, ['/type']],
    ['with a reserved type', { type: { header: 't' } }, { headers: { t: 'posthorn.attempt' } }, ['/type']],
    ['with an object for a tenant', { tenant: { pointer: '/t' } }, { value: Buffer.from('{"t":{}}') }, ['/tenant']],
    ['without the id that is mapped', { id: { header: 'id' } }, {}, ['/id']],
    ['with a binary id', { id: { record: 'key' } }, { key: Buffer.from([0xff]) }, ['/id']],
    ['with a key of control characters', { key: { record: 'key' } }, { key: Buffer.from([0, 1]) }, ['/partitionkey']],
    ['with a time that is none', { time: { header: 'at' } }, { headers: { at: 'yesterday' } }, ['/time']],
    ['with no JSON media type', { contenttype: { header: 'c' } }, { headers: { c: 'text/plain' } }, ['/contenttype']],
    ['of a timestamp that is no date', {}, { timestamp: 9e15 }, ['/time']],
    ['with an inherited name', { type: { pointer: '/constructor/name' } }, {}, ['/type']],
    ["with an array's length", { type: { pointer: '/length' } }, { value: Buffer.from('[1]') }, ['/type']],
  ])('names what is wrong: %s', (_name, event, of, pointers) => {
    expect(faultsOf(event, of)).toEqual(pointers)
  })

  it('is one whose bytes only claim to be JSON: they would break out of their envelope', () => {
    const value = Buffer.from('1,"id":"forged"')
    expect(faultsOf({ contenttype: 'application/json' }, { value }, { value: 'bytes' })).toEqual(['/contenttype'])
  })

  it('is told apart from a tombstone', () => {
    expect(faultsOf({ type: { pointer: '/type' } }, { value: null })).toBe('tombstone')
  })

  it('never throws, and never passes what events refuse', () => {
    const map = compileSource(
      definition(
        {},
        { tenant: { header: 'tenant' }, type: { pointer: '/type' }, id: { record: 'key' }, time: { pointer: '/at' } },
      ),
    )
    const bytes = fc.uint8Array({ maxLength: 8 }).map(array => Buffer.from(array))
    const value = fc.oneof(
      bytes,
      fc
        .record({ type: fc.oneof(fc.string(), fc.jsonValue()), at: fc.jsonValue() })
        .map(json => Buffer.from(JSON.stringify(json))),
    )
    fc.assert(
      fc.property(value, bytes, fc.oneof(fc.constant('acme'), bytes), (value, key, tenant) => {
        const mapped = map(record({ value, key, headers: { tenant } }))
        if (mapped.kind === 'event') expect(checkEvent(mapped.event)).toEqual([])
      }),
    )
  })
})

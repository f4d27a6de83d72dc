// Longer than files are here: the cases are the description of the language, one beside the other.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { EventFields } from './event-fields.js'
import type { WebhookEvent } from './event.js'
import { explainPattern } from './filter-explain.js'
import { parseJson } from './filter-number.js'
import { checkFilter, checkPattern, compileFilter, compilePattern, countUnindexed, isIndexedFilter } from './filter.js'

const fits = (pattern: string, event: string) => compilePattern(parseJson(pattern))(parseJson(event))

/** [pattern, an event that fits, …, '!', an event that does not, …] as JSON texts. */
type Case = readonly [what: string, pattern: string, fitting: readonly string[], other: readonly string[]]

const OPERATORS: readonly Case[] = [
  [
    'a text',
    '{"a":["x"]}',
    ['{"a":"x"}', '{"a":["y","x"]}', '{"a":[["x"]]}'],
    ['{"a":"X"}', '{"b":"x"}', '{"a":{"x":"x"}}', '{}'],
  ],
  [
    'any of several',
    '{"a":["x",7,null]}',
    ['{"a":"x"}', '{"a":7}', '{"a":null}'],
    ['{"a":"7"}', '{"a":"null"}', '{"a":0}'],
  ],
  ['null, which is a value', '{"a":[null]}', ['{"a":null}', '{"a":[1,null]}'], ['{}', '{"a":""}', '{"a":[]}']],
  ['booleans, which are not their names', '{"a":[true]}', ['{"a":true}'], ['{"a":"true"}', '{"a":1}']],
  [
    'a number in any spelling',
    '{"a":[300]}',
    ['{"a":300.0}', '{"a":3e2}', '{"a":3.0e+2}'],
    ['{"a":"300"}', '{"a":300.1}'],
  ],
  ['minus zero as zero', '{"a":[0]}', ['{"a":-0}', '{"a":0.0}'], ['{"a":null}']],
  ['exactly', '{"a":[{"exactly":"x"}]}', ['{"a":"x"}'], ['{"a":"xx"}']],
  [
    'an address in any spelling',
    '{"a":["10.0.0.1","2001:db8::1"]}',
    ['{"a":"10.0.0.1"}', '{"a":"2001:0DB8:0:0:0:0:0:1"}', '{"a":"::ffff:a00:1"}'],
    ['{"a":"10.0.0.2"}', '{"a":"2001:db8::2"}'],
  ],
  ['prefix', '{"a":[{"prefix":"ab"}]}', ['{"a":"ab"}', '{"a":"abc"}'], ['{"a":"aB"}', '{"a":"a"}', '{"a":12}']],
  ['an empty prefix: any text', '{"a":[{"prefix":""}]}', ['{"a":""}', '{"a":"x"}'], ['{"a":1}', '{"a":null}', '{}']],
  [
    'prefix without case',
    '{"a":[{"prefix":{"equals-ignore-case":"äB"}}]}',
    ['{"a":"ÄBc"}', '{"a":"äb"}'],
    ['{"a":"ab"}', '{"a":"ä"}'],
  ],
  ['suffix', '{"a":[{"suffix":".png"}]}', ['{"a":".png"}', '{"a":"x.png"}'], ['{"a":"x.PNG"}', '{"a":"png"}']],
  ['suffix without case', '{"a":[{"suffix":{"equals-ignore-case":".Png"}}]}', ['{"a":"x.PNG"}'], ['{"a":"x.pngx"}']],
  [
    'equals without case',
    '{"a":[{"equals-ignore-case":"Straße"}]}',
    ['{"a":"STRASSE"}', '{"a":"straße"}'],
    ['{"a":"strase"}', '{"a":"straßen"}'],
  ],
  [
    'wildcard',
    '{"a":[{"wildcard":"a*b*c"}]}',
    ['{"a":"abc"}', '{"a":"a-b-b-c"}', '{"a":"abbcc"}'],
    ['{"a":"ab"}', '{"a":"xabc"}', '{"a":"acb"}'],
  ],
  [
    'wildcard whose ends would overlap',
    '{"a":[{"wildcard":"aba*aba"}]}',
    ['{"a":"abaaba"}'],
    ['{"a":"ababa"}', '{"a":"aba"}'],
  ],
  [
    'wildcard with quoted star and backslash',
    '{"a":[{"wildcard":"\\\\**\\\\\\\\"}]}',
    ['{"a":"*x\\\\"}'],
    ['{"a":"x\\\\"}'],
  ],
  ['a lone star: any text', '{"a":[{"wildcard":"*"}]}', ['{"a":""}', '{"a":"x"}'], ['{"a":1}']],
  [
    'anything-but a text: all else that exists',
    '{"a":[{"anything-but":"x"}]}',
    ['{"a":"y"}', '{"a":1}', '{"a":null}', '{"a":["x","y"]}'],
    ['{"a":"x"}', '{}', '{"a":[]}', '{"a":{}}'],
  ],
  ['anything-but texts', '{"a":[{"anything-but":["x","y"]}]}', ['{"a":"z"}'], ['{"a":"x"}', '{"a":["x","y"]}']],
  [
    'anything-but numbers',
    '{"a":[{"anything-but":[1,2]}]}',
    ['{"a":3}', '{"a":"1"}', '{"a":true}'],
    ['{"a":1.0}', '{"a":2}'],
  ],
  [
    'anything-but a prefix',
    '{"a":[{"anything-but":{"prefix":["x","y"]}}]}',
    ['{"a":"zx"}', '{"a":5}'],
    ['{"a":"xz"}', '{"a":"y"}'],
  ],
  ['anything-but a suffix', '{"a":[{"anything-but":{"suffix":"x"}}]}', ['{"a":"xz"}'], ['{"a":"zx"}']],
  [
    'anything-but without case',
    '{"a":[{"anything-but":{"equals-ignore-case":["X"]}}]}',
    ['{"a":"xx"}', '{"a":false}'],
    ['{"a":"x"}', '{"a":"X"}'],
  ],
  ['anything-but a wildcard', '{"a":[{"anything-but":{"wildcard":"*/bin/*"}}]}', ['{"a":"/binx"}'], ['{"a":"/bin/x"}']],
  ['numeric =', '{"a":[{"numeric":["=",0.5]}]}', ['{"a":0.50}', '{"a":5e-1}'], ['{"a":"0.5"}', '{"a":0.51}']],
  [
    'numeric bounds',
    '{"a":[{"numeric":[">",0,"<=",5]}]}',
    ['{"a":5}', '{"a":0.1}', '{"a":[9,3]}'],
    ['{"a":0}', '{"a":5.1}', '{"a":"3"}', '{"a":null}'],
  ],
  ['numeric one-sided', '{"a":[{"numeric":["<",-1]}]}', ['{"a":-1.5}', '{"a":-1e300}'], ['{"a":-1}']],
  [
    'exists',
    '{"a":{"b":[{"exists":true}]}}',
    ['{"a":{"b":null}}', '{"a":[{"b":0}]}'],
    ['{"a":{}}', '{"a":{"b":{}}}', '{"a":{"b":[]}}', '{"a":1}'],
  ],
  [
    'exists: false, of leaves only',
    '{"a":{"b":[{"exists":false}]}}',
    ['{}', '{"a":1}', '{"a":{"b":{"c":1}}}', '{"a":{"b":[]}}'],
    ['{"a":{"b":null}}'],
  ],
  ['absent or wanted', '{"a":["x",{"exists":false}]}', ['{"a":"x"}', '{}'], ['{"a":"y"}']],
  [
    'cidr',
    '{"a":[{"cidr":"10.1.0.0/16"}]}',
    ['{"a":"10.1.255.255"}', '{"a":"10.1.0.0"}'],
    ['{"a":"10.2.0.0"}', '{"a":"::a01:1"}', '{"a":"10.1"}', '{"a":167837697}'],
  ],
  [
    'cidr of IPv6, from any of its addresses',
    '{"a":[{"cidr":"2001:db8::1/33"}]}',
    ['{"a":"2001:DB8:7fff::"}'],
    ['{"a":"2001:db8:8000::"}', '{"a":"10.0.0.1"}'],
  ],
  ['cidr of one address', '{"a":[{"cidr":"10.1.2.3/32"}]}', ['{"a":"10.1.2.3"}'], ['{"a":"10.1.2.4"}']],
  ['all fields', '{"a":[1],"b":{"c":[2]}}', ['{"a":1,"b":{"c":2},"d":3}'], ['{"a":1}', '{"a":1,"b":2}']],
  [
    'names that objects have anyway',
    '{"constructor":[{"exists":false}],"a":{"length":[1]}}',
    ['{"a":{"length":1}}'],
    ['{"a":[1]}', '{"a":"x"}', '{"constructor":1,"a":{"length":1}}'],
  ],
  ['names with dots, which are names', '{"a.b":[1]}', ['{"a.b":1}'], ['{"a":{"b":1}}']],
]

const OR: readonly Case[] = [
  ['either field', '{"$or":[{"a":[1]},{"b":[2]}]}', ['{"a":1}', '{"b":2}'], ['{"a":2,"b":1}']],
  [
    'a field and either',
    '{"a":[1],"$or":[{"b":[2]},{"c":[3],"d":[4]}]}',
    ['{"a":1,"b":2}', '{"a":1,"c":3,"d":4}'],
    ['{"b":2}', '{"a":1,"c":3}'],
  ],
  [
    'two of them, below a field',
    '{"$or":[{"a":[1]},{"b":[1]}],"x":{"$or":[{"c":[1]},{"d":[1]}]}}',
    ['{"b":1,"x":{"c":1}}'],
    ['{"a":1,"b":1}', '{"x":{"c":1,"d":1}}'],
  ],
  [
    'one in another',
    '{"$or":[{"a":[1],"$or":[{"b":[1]},{"c":[1]}]},{"d":[1]}]}',
    ['{"a":1,"c":1}', '{"d":1}'],
    ['{"a":1}', '{"b":1}'],
  ],
]

const ARRAYS: readonly Case[] = [
  [
    'fields of one element',
    '{"p":{"a":[1],"b":[2]}}',
    ['{"p":[{"a":2},{"a":1,"b":2}]}', '{"p":{"a":1,"b":2}}'],
    ['{"p":[{"a":1},{"b":2}]}', '{"p":[{"a":1,"b":3},{"a":3,"b":2}]}'],
  ],
  [
    'different arrays, which are independent',
    '{"p":{"a":[1]},"q":{"b":[2]}}',
    ['{"p":[{"a":0},{"a":1}],"q":[{"b":2},{"b":0}]}'],
    ['{"p":[{"a":1}],"q":[]}'],
  ],
  [
    'arrays in arrays',
    '{"p":{"n":["x"],"q":{"a":[1],"b":[2]}}}',
    ['{"p":[{"n":"y"},{"n":"x","q":[{"a":0},{"a":1,"b":2}]}]}', '{"p":[[{"n":"x","q":{"a":1,"b":2}}]]}'],
    ['{"p":[{"n":"x","q":[{"a":1},{"b":2}]}]}', '{"p":[{"n":"y","q":{"a":1,"b":2}},{"n":"x"}]}'],
  ],
  [
    'values of one array, any of them for each field',
    '{"p":{"t":["x"],"a":[1]}}',
    ['{"p":{"t":["y","x"],"a":[0,1]}}'],
    ['{"p":{"t":["y"],"a":1}}'],
  ],
  ['values beside objects', '{"p":{"a":[1]}}', ['{"p":["x",{"a":1},null]}'], ['{"p":["a",1]}']],
  [
    'absence in the element that an earlier field is in',
    '{"p":{"a":[1],"b":[{"exists":false}]}}',
    ['{"p":[{"a":1},{"b":2}]}'],
    ['{"p":[{"a":1,"b":2},{"a":0}]}'],
  ],
  [
    'absence in every element where no earlier field is',
    '{"p":{"b":[1],"a":[{"exists":false}]}}',
    ['{"p":[{"b":1},{"c":2}]}'],
    ['{"p":[{"b":1},{"a":2}]}'],
  ],
  [
    'absence alone, in every element',
    '{"p":{"a":[{"exists":false}]}}',
    ['{"p":[{"b":1},2]}', '{"p":[]}', '{}'],
    ['{"p":[{"b":1},{"a":2}]}'],
  ],
]

const EXACTNESS: readonly Case[] = [
  ['the largest sure whole number', '{"a":[9007199254740991]}', ['{"a":9007199254740991}'], ['{"a":9007199254740992}']],
  [
    'no neighbour of a number beyond it',
    '{"a":[9007199254740992]}',
    ['{"a":9007199254740992}'],
    ['{"a":9007199254740993}'],
  ],
  [
    'no number that a double cannot hold, in any comparison',
    '{"a":[{"numeric":[">",0]}]}',
    ['{"a":1e20}'],
    ['{"a":12345678901234567890}', '{"a":1e999}', '{"a":1e-999}', '{"a":0.10000000000000000001}'],
  ],
  [
    'such a number as something else',
    '{"a":[{"anything-but":[1]}]}',
    ['{"a":12345678901234567890}', '{"a":1.00000000000000000001}'],
    ['{"a":1.00000000000000000000}'],
  ],
  ['such a number as existing', '{"a":[{"exists":true}]}', ['{"a":12345678901234567890}'], []],
  [
    'digits in texts, which are no numbers',
    '{"a":["12345678901234567890"],"b":[1]}',
    ['{"a":"12345678901234567890","b":1}', '{"c":"\\\\\\"1e999","a":"12345678901234567890","b":1}'],
    [],
  ],
]

describe.each([
  ['operators', OPERATORS],
  ['$or', OR],
  ['arrays', ARRAYS],
  ['numbers', EXACTNESS],
])('patterns: %s', (_, cases) => {
  it.each(cases)('takes %s', (_what, pattern, fitting, other) => {
    expect(checkPattern(parseJson(pattern))).toEqual([])
    for (const event of fitting) expect({ event, fits: fits(pattern, event) }).toEqual({ event, fits: true })
    for (const event of other) expect({ event, fits: fits(pattern, event) }).toEqual({ event, fits: false })
  })
})

const many = (count: number, of: (i: number) => unknown) => Array.from({ length: count }, (_, i) => of(i))

describe('checkFilter', () => {
  it.each([
    ['[1]', ''],
    ['null', ''],
    ['{}', ''],
    ['{"data":{}}', '/data'],
    ['{"data":{"a":[]}}', '/data/a'],
    ['{"data":{"a":"x"}}', '/data/a'],
    ['{"data":{"a":[["x"]]}}', '/data/a/0'],
    ['{"data":{"a":["x",{}]}}', '/data/a/1'],
    ['{"data":{"a":[{"prefix":"a","suffix":"b"}]}}', '/data/a/0'],
    ['{"data":{"a":[{"like":"a"}]}}', '/data/a/0/like'],
    ['{"data":{"a~/b":[{"prefix":3}]}}', '/data/a~0~1b/0/prefix'],
    ['{"data":{"a":[{"prefix":["a"]}]}}', '/data/a/0/prefix'],
    ['{"data":{"a":[{"suffix":{"wildcard":"a"}}]}}', '/data/a/0/suffix/wildcard'],
    ['{"data":{"a":[{"suffix":{"equals-ignore-case":["a"]}}]}}', '/data/a/0/suffix/equals-ignore-case'],
    ['{"data":{"a":[{"equals-ignore-case":5}]}}', '/data/a/0/equals-ignore-case'],
    ['{"data":{"a":[{"exactly":33}]}}', '/data/a/0/exactly'],
    ['{"data":{"a":[{"wildcard":"a**b"}]}}', '/data/a/0/wildcard'],
    ['{"data":{"a":[{"wildcard":"a\\\\b"}]}}', '/data/a/0/wildcard'],
    ['{"data":{"a":[{"wildcard":"a\\\\"}]}}', '/data/a/0/wildcard'],
    ['{"data":{"amount":[{"numeric":[]}]}}', '/data/amount/0/numeric'],
    ['{"data":{"amount":[{"numeric":["~",1]}]}}', '/data/amount/0/numeric/0'],
    ['{"data":{"amount":[{"numeric":["=","1"]}]}}', '/data/amount/0/numeric/1'],
    ['{"data":{"amount":[{"numeric":["<",1,">",0]}]}}', '/data/amount/0/numeric/0'],
    ['{"data":{"amount":[{"numeric":[">",1,">",2]}]}}', '/data/amount/0/numeric/2'],
    ['{"data":{"amount":[{"numeric":[">",1,"<",1]}]}}', '/data/amount/0/numeric/3'],
    ['{"data":{"amount":[{"numeric":[">",1,"<",5,2]}]}}', '/data/amount/0/numeric'],
    ['{"data":{"amount":[{"numeric":["=",1e309]}]}}', '/data/amount/0/numeric/1'],
    ['{"data":{"amount":[12345678901234567890]}}', '/data/amount/0'],
    ['{"data":{"a":[{"exists":"yes"}]}}', '/data/a/0/exists'],
    ['{"data":{"a":[{"cidr":"10.0.0.0"}]}}', '/data/a/0/cidr'],
    ['{"data":{"a":[{"cidr":"10.0.0.0/33"}]}}', '/data/a/0/cidr'],
    ['{"data":{"a":[{"cidr":"1:2:3:4:5:6:7:8:9/8"}]}}', '/data/a/0/cidr'],
    ['{"data":{"a":[{"anything-but":[]}]}}', '/data/a/0/anything-but'],
    ['{"data":{"a":[{"anything-but":["a",1]}]}}', '/data/a/0/anything-but/1'],
    ['{"data":{"a":[{"anything-but":null}]}}', '/data/a/0/anything-but'],
    ['{"data":{"a":[{"anything-but":{"prefix":""}}]}}', '/data/a/0/anything-but/prefix'],
    ['{"data":{"a":[{"anything-but":{"suffix":["a",""]}}]}}', '/data/a/0/anything-but/suffix/1'],
    ['{"data":{"a":[{"anything-but":{"numeric":["=",1]}}]}}', '/data/a/0/anything-but/numeric'],
    ['{"data":{"$or":{"a":[1]}}}', '/data/$or'],
    ['{"data":{"$or":[{"a":[1]}]}}', '/data/$or'],
    ['{"data":{"$or":[{"a":[1]},[1]]}}', '/data/$or/1'],
    ['{"data":{"$or":[{"a":[1]},{"prefix":"a"}]}}', '/data/$or/1/prefix'],
    ['{"data":{"a":[1],"$or":[{"a":[2]},{"b":[3]}]}}', '/data/$or/0/a'],
    ['{"data":{"a":[1],"$or":[{"b":[2]},{"a":{"c":[3]}}]}}', '/data/$or/1/a/c'],
    ['{"severity.level":["x"]}', '/severity.level'],
    ['{"Type":["x"]}', '/Type'],
    ['{"tenant":["x"]}', '/tenant'],
    ['{"source":{"a":["x"]}}', '/source'],
    ['{"$or":[{"source":["x"]},{"data.a":["x"]}]}', '/$or/1/data.a'],
  ])('refuses %s at "%s"', (filter, pointer) => {
    const problems = checkFilter(parseJson(filter))
    expect(problems.map(problem => problem.pointer)).toEqual([pointer])
    expect(problems[0]!.message.length).toBeGreaterThan(10)
    expect(() => compileFilter(parseJson(filter) as Record<string, unknown>)).toThrow()
  })

  it.each([
    ['size', { data: { a: ['x'.repeat(16_384)] } }, ''],
    ['depth', { data: many(20, String).reduce<unknown>(inner => ({ a: inner }), ['x']) }, `/data${'/a'.repeat(19)}`],
    ['wanted values', { data: { a: many(200, String), b: many(57, String) } }, '/data/b'],
    [
      'wanted values inside anything-but',
      { data: { a: [{ 'anything-but': many(257, i => i) }] } },
      '/data/a/0/anything-but',
    ],
    [
      'comparisons',
      {
        data: { a: many(40, i => ({ numeric: ['<', i] })), b: [{ 'anything-but': { prefix: many(25, i => `${i}`) } }] },
      },
      '/data/b',
    ],
    ['wildcards', { data: { a: many(17, i => ({ wildcard: `${i}*` })) } }, '/data/a/16/wildcard'],
    ['stars', { data: { a: [{ wildcard: 'a*'.repeat(9) }] } }, '/data/a/0/wildcard'],
    ['length of a wildcard', { data: { a: [{ wildcard: 'a'.repeat(257) }] } }, '/data/a/0/wildcard'],
    ['combinations', { data: { $or: many(65, i => ({ a: [i] })) } }, '/data/$or'],
    [
      'combinations of several $or',
      { data: Object.fromEntries(many(7, i => [`f${i}`, { $or: [{ a: [1] }, { b: [1] }] }]) as [string, unknown][]) },
      '/data/f6/$or',
    ],
    [
      'combinations by absence',
      { data: Object.fromEntries(many(7, i => [`f${i}`, [1, { exists: false }]]) as [string, unknown][]) },
      '/data/f6',
    ],
  ])('limits %s', (_, filter, pointer) => {
    expect(checkFilter(filter).map(problem => problem.pointer)).toEqual([pointer])
  })

  it('names every fault', () => {
    const problems = checkFilter({ data: { a: [{ prefix: 1 }, { suffix: 2 }], b: [] }, B: [1] })
    expect(problems.map(({ pointer }) => pointer)).toEqual(['/data/a/0/prefix', '/data/a/1/suffix', '/data/b', '/B'])
  })

  it('survives anything that JSON can be', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 8 }), json => void checkFilter(json)))
    const deep = `${'{"$or":['.repeat(240)}${']}'.repeat(240)}`
    expect(checkFilter(parseJson(deep)).length).toBeGreaterThan(0)
  })
})

const event: WebhookEvent = {
  tenant: 't',
  id: '1',
  source: '/shop',
  type: 'order.paid',
  time: '2026-01-31T12:00:00Z',
  contenttype: 'application/json',
  partitionkey: 'c1',
  extensions: { region: 'eu' },
}
const matches = (filter: object, data: string | Buffer, extra: Partial<WebhookEvent> = {}) =>
  compileFilter(filter as Record<string, unknown>).matches(new EventFields({ ...event, ...extra }, Buffer.from(data)))

describe('compileFilter', () => {
  it('sees attributes by their CloudEvents names, and the data', () => {
    expect(matches({ id: ['1'], source: [{ prefix: '/' }], type: [{ suffix: '.paid' }] }, '')).toBe(true)
    expect(matches({ region: ['eu'], partitionkey: ['c1'], subject: [{ exists: false }] }, '')).toBe(true)
    expect(matches({ datacontenttype: [{ prefix: 'application/' }], time: [{ prefix: '2026-01' }] }, '')).toBe(true)
    expect(matches({ region: ['us'] }, '')).toBe(false)
    expect(matches({ data: { a: [1] }, source: ['/shop'] }, '{"a":1}')).toBe(true)
    expect(matches({ data: { a: [1] }, source: ['/'] }, '{"a":1}')).toBe(false)
    expect(matches({ data: ['x'] }, '"x"')).toBe(true)
    const proto = parseJson('{"data":{"__proto__":["x"]}}') as object
    expect(matches(proto, '{"__proto__":"x"}')).toBe(true)
    expect(matches(proto, '{}')).toBe(false)
    expect(matches({ data: { a: [1] } }, '[{"a":0},{"a":1}]')).toBe(true)
  })

  it.each([
    ['another media type', '{}', { contenttype: 'text/plain' }],
    ['broken JSON', '{"a":', {}],
    ['broken UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}],
    ['too many levels', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, {}],
  ])('takes no data of %s for a filter over data', (_, data, extra) => {
    expect(matches({ data: { a: [{ exists: false }] } }, data, extra)).toBe(false)
    expect(matches({ $or: [{ data: { a: [{ exists: false }] } }, { source: ['/shop'] }] }, data, extra)).toBe(true)
  })

  it('takes an event without data as one without fields', () => {
    expect(matches({ data: { a: [{ exists: false }] } }, '')).toBe(true)
    expect(matches({ data: { a: [{ exists: true }] } }, '')).toBe(false)
  })

  it('parses the data once, and not for attributes', () => {
    const unread = new EventFields(event, new Proxy(new Uint8Array(1), { get: () => expect(true).toBe(false) }))
    expect(compileFilter({ source: ['/shop'] }).matches(unread)).toBe(true)
    expect(compileFilter({ source: ['/'], data: { a: [1] } }).matches(unread)).toBe(false)
    const fields = new EventFields(event, Buffer.from('{"a":1}'))
    expect(fields.data).toBe(fields.data)
  })

  it.each([
    [{ data: { a: ['x'] } }, true],
    [{ data: { a: ['x', 2, null, '10.0.0.1', { numeric: ['=', 3] }], b: [{ prefix: 'x' }] } }, true],
    [{ source: ['/shop'] }, true],
    [{ data: { a: [{ prefix: 'x' }] } }, false],
    [{ data: { a: ['x', { exists: false }] } }, false],
    [{ data: { $or: [{ a: [1] }, { b: [{ exists: true }] }] } }, false],
    [{ data: { $or: [{ a: [1] }, { b: [2] }] } }, true],
  ])('knows whether %j can be looked up', (filter, indexed) => {
    expect(isIndexedFilter(filter)).toBe(indexed)
    expect(countUnindexed([filter, { id: ['1'] }])).toBe(indexed ? 0 : 1)
  })

  it('matches the worst wildcard in linear time', () => {
    const worst = { wildcard: `*${`${'a'.repeat(60)}b*`.repeat(4)}` }
    const time = (length: number) => {
      const data = JSON.stringify({ a: 'a'.repeat(length) })
      const took = Array.from({ length: 20 }, () => {
        const started = performance.now()
        expect(matches({ data: { a: [worst] } }, data)).toBe(false)
        return performance.now() - started
      })
      return Math.min(...took)
    }
    time(1000)
    // A quadratic matcher needs seconds for the quarter of a MiB; this one some milliseconds at most.
    expect(time(250_000)).toBeLessThan(100)
  })
})

describe('explainPattern', () => {
  it.each([
    ['{"a":[1],"b":["x"]}', '{"a":2,"b":"x"}', ['/a no wanted value fits 2']],
    ['{"a":[1]}', '{}', ['/a the event has no value here']],
    ['{"a":[{"exists":false}]}', '{"a":[1,2,3,4]}', ['/a the event has this field: 1, 2, 3 and 1 more']],
    [
      '{"$or":[{"a":[1]},{"b":[1]}],"c":[1]}',
      '{"b":2,"c":1}',
      ['/$or/0/a the event has no value here', '/$or/1/b no wanted value fits 2'],
    ],
    [
      '{"p":{"a":[1],"b":[2]}}',
      '{"p":[{"a":1},{"b":2}]}',
      ["/p/b each field fits, but no one element of the event's arrays fits all of /p/a, /p/b"],
    ],
    ['{"a":[1]}', '{"a":12345678901234567890}', ['/a no wanted value fits 12345678901234567890']],
    ['{"a":[1]}', '{"a":1}', []],
  ])('says why %s does not take %s', (pattern, json, why) => {
    const reasons = explainPattern(parseJson(pattern), parseJson(json))
    expect(reasons.map(({ pointer, message }) => `${pointer} ${message}`)).toEqual(why)
  })
})

import { describe, expect, test } from '@jest/globals'
import { parseJson } from '@posthorn/webhook'
import { ApiError } from './errors.js'
import { ListDeliveriesQuery } from './history-lists.js'
import { validated, type Dto } from './http-validation.js'
import { ListWebhooksQuery } from './webhook-view.js'
import { CreateWebhookBody, PatchWebhookBody } from './webhooks.js'

function pointersOf(dto: Dto<object>, input: unknown): string[] {
  try {
    validated(dto, input)
  } catch (error) {
    if (error instanceof ApiError) return error.errors.map(problem => problem.pointer)
    throw error
  }
  return []
}

const GOOD = { url: 'https://example.com/hook?a=b', events: ['agent.*'] }

describe('the body of a creation', () => {
  test.each<object>([
    GOOD,
    { ...GOOD, url: 'http://127.0.0.1:8000' },
    { ...GOOD, url: 'https://bücher.example/ü' },
    { ...GOOD, events: ['*', 'a.b', 'a.*'] },
    { ...GOOD, secret: null, description: null, metadata: null, retry_policy: null },
    { ...GOOD, secret: 'sixteen letters!', description: '', metadata: { a: 'b' }, retry_policy: { attempts: 1 } },
    { ...GOOD, filter: null },
    {
      ...GOOD,
      filter: { source: ['/shop'], data: { amount: [{ numeric: ['>=', 10] }], toString: [{ exists: false }] } },
    },
    { ...GOOD, metadata: { constructor: 'x', toString: 'y' } },
    { ...GOOD, format: 'standard', method: 'POST', retry_policy: { factor: 1.5, jitter: 0, max_age_ms: null } },
  ])('may be %j', body => {
    expect(pointersOf(CreateWebhookBody, body)).toEqual([])
  })

  test.each<[object, string[]]>([
    [{}, ['/url', '/events']],
    [{ ...GOOD, url: 5 }, ['/url']],
    [{ ...GOOD, url: null }, ['/url']],
    [{ ...GOOD, url: 'ftp://example.com' }, ['/url']],
    [{ ...GOOD, url: '/hook' }, ['/url']],
    [{ ...GOOD, url: 'example.com/hook' }, ['/url']],
    [{ ...GOOD, url: 'https:example.com' }, ['/url']],
    [{ ...GOOD, url: 'https://' }, ['/url']],
    [{ ...GOOD, url: ' https://example.com' }, ['/url']],
    [{ ...GOOD, url: 'https://example.com\\a' }, ['/url']],
    [{ ...GOOD, url: 'https://u:p@example.com' }, ['/url']],
    [{ ...GOOD, url: 'https://@example.com' }, ['/url']],
    [{ ...GOOD, url: 'https://example.com/#a' }, ['/url']],
    [{ ...GOOD, url: `https://example.com/${'a'.repeat(2048)}` }, ['/url']],
    [{ ...GOOD, events: [] }, ['/events']],
    [{ ...GOOD, events: 'agent.*' }, ['/events']],
    [{ ...GOOD, events: Array(101).fill('a') }, ['/events']],
    [{ ...GOOD, events: ['a', 'a b', 'a.*.b', 7, ''] }, ['/events/1', '/events/2', '/events/3', '/events/4']],
    [{ ...GOOD, secret: 'short' }, ['/secret']],
    [{ ...GOOD, secret: 'whsec_AAAA' }, ['/secret']],
    [{ ...GOOD, secret: 1 }, ['/secret']],
    [{ ...GOOD, secret: `whsk_${'A'.repeat(40)}` }, ['/secret']],
    [{ ...GOOD, signature: 'ed25519' }, ['/signature']],
    [{ ...GOOD, description: 1 }, ['/description', '/description']],
    [{ ...GOOD, description: 'x'.repeat(1025) }, ['/description']],
    [{ ...GOOD, metadata: [] }, ['/metadata']],
    [{ ...GOOD, metadata: { 'a/b': 1, ok: 'x' } }, ['/metadata/a~1b']],
    [{ ...GOOD, metadata: { ['k'.repeat(65)]: 'x' } }, [`/metadata/${'k'.repeat(65)}`]],
    [{ ...GOOD, retry_policy: 3 }, ['/retry_policy']],
    [
      { ...GOOD, retry_policy: { attempts: 0, timeout_ms: 1.5, factor: '2', jitter: 2, retries: 1 } },
      ['/retry_policy/attempts', '/retry_policy/timeout_ms', '/retry_policy/factor', '/retry_policy/jitter'].concat(
        '/retry_policy/retries',
      ),
    ],
    [{ ...GOOD, filter: {} }, ['/filter']],
    [{ ...GOOD, filter: { data: { amount: [{ numeric: [] }] } } }, ['/filter/data/amount/0/numeric']],
    [{ ...GOOD, filter: parseJson('{"data":{"a":[12345678901234567890]}}') }, ['/filter/data/a/0']],
    [
      { ...GOOD, filter: { data: { constructor: [{}], toString: ['x', {}] } } },
      ['/filter/data/constructor/0', '/filter/data/toString/1'],
    ],
    [{ ...GOOD, constructor: 'x' }, ['/constructor']],
    [{ ...GOOD, metadata: { constructor: 1, toString: 2 } }, ['/metadata/constructor', '/metadata/toString']],
    [{ ...GOOD, format: 'xml' }, ['/format']],
    [{ ...GOOD, format: ['raw'] }, ['/format']],
    [{ ...GOOD, method: 'GET' }, ['/method']],
    [{ ...GOOD, rate_limit: 10 }, ['/rate_limit']],
    [{ ...GOOD, rate_limit: [] }, ['/rate_limit']],
    [{ ...GOOD, rate_limit: {} }, ['/rate_limit/requests']],
    [{ ...GOOD, rate_limit: { requests: null, per: 'second' } }, ['/rate_limit/requests']],
    [
      { ...GOOD, rate_limit: { requests: 0, per: 'hour', burst: 1 } },
      ['requests', 'per', 'burst'].map(at => `/rate_limit/${at}`),
    ],
    [{ ...GOOD, rate_limit: { requests: 1.5 } }, ['/rate_limit/requests']],
    [{ ...GOOD, rate_limit: { requests: '5' } }, ['/rate_limit/requests']],
    [{ ...GOOD, rate_limit: { requests: 100_001 } }, ['/rate_limit/requests']],
    [{ ...GOOD, max_concurrency: 0 }, ['/max_concurrency']],
    [{ ...GOOD, max_concurrency: 4097 }, ['/max_concurrency']],
    [{ ...GOOD, max_concurrency: '8' }, ['/max_concurrency']],
    [{ ...GOOD, allowed_cidrs: [] }, ['/allowed_cidrs']],
    [{ ...GOOD, allowed_cidrs: '10.0.0.0/8' }, ['/allowed_cidrs']],
    [{ ...GOOD, allowed_cidrs: Array(33).fill('10.0.0.0/8') }, ['/allowed_cidrs']],
    [
      { ...GOOD, allowed_cidrs: ['203.0.113.0/24', '10.0.0.1', '10.0.0.0/33', 'fe80::%a/10', {}, '::/129', '::1/128'] },
      [1, 2, 3, 4, 5].map(at => `/allowed_cidrs/${at}`),
    ],
    [{ ...GOOD, denied_cidrs: [] }, ['/denied_cidrs']],
    [{ ...GOOD, denied_cidrs: ['10.0.0.0/8', '10.0.0.1'] }, ['/denied_cidrs/1']],
    [{ ...GOOD, tls: 'x' }, ['/tls']],
    [{ ...GOOD, tls: { cert: 'x', ca: 1, key: '' } }, ['/tls/cert', '/tls/ca', '/tls/key']],
    [{ ...GOOD, min_tls_version: '1.1' }, ['/min_tls_version']],
    [{ ...GOOD, min_tls_version: 1.3 }, ['/min_tls_version']],
    [{ ...GOOD, status: 'active', encryption: 'key' }, ['/status', '/encryption']],
    [{ ...GOOD, ordering: 'keys' }, ['/ordering']],
    [{ ...GOOD, ordering: true }, ['/ordering']],
  ])('must not be %j', (body, pointers) => {
    expect(pointersOf(CreateWebhookBody, body)).toEqual(pointers)
  })

  test('what is planned is refused, and the answer says so', () => {
    expect(() => validated(CreateWebhookBody, { ...GOOD, preset: 'x' })).toThrow('not supported by this version yet')
  })
})

describe('the body of a change', () => {
  test('may be empty, and may reset what has a default', () => {
    expect(pointersOf(PatchWebhookBody, {})).toEqual([])
    expect(pointersOf(PatchWebhookBody, { description: null, metadata: null, retry_policy: null })).toEqual([])
    expect(pointersOf(PatchWebhookBody, { metadata: { gone: null }, retry_policy: { attempts: null } })).toEqual([])
    expect(pointersOf(PatchWebhookBody, { rate_limit: null, max_concurrency: null })).toEqual([])
    expect(pointersOf(PatchWebhookBody, { allowed_cidrs: null, min_tls_version: null })).toEqual([])
    expect(pointersOf(PatchWebhookBody, { denied_cidrs: null, tls: null })).toEqual([])
    expect(pointersOf(PatchWebhookBody, { tls: { ca: null, certificate: null, key: null } })).toEqual([])
    expect(pointersOf(PatchWebhookBody, { rate_limit: { per: 'minute' } })).toEqual([])
  })

  test('keeps every member of what it patches', () => {
    const filter = { data: { constructor: ['x'], toString: null } }
    expect(validated(PatchWebhookBody, { filter }).filter).toEqual(filter)
    expect(pointersOf(PatchWebhookBody, { filter: [] })).toEqual(['/filter'])
    expect(pointersOf(PatchWebhookBody, { filter: null })).toEqual([])
  })

  test('must not take away what a webhook needs', () => {
    const body = { url: null, events: null, secret: null, status: null }
    expect(pointersOf(PatchWebhookBody, body)).toEqual(['/url', '/events', '/secret', '/status'])
    expect(pointersOf(PatchWebhookBody, { status: 'deleted', id: 'webhook_1' })).toEqual(['/id', '/status'])
  })
})

test('a body with more fields than any has is refused before they are looked at', () => {
  const body = Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`f${i}`, 1]))
  expect(pointersOf(CreateWebhookBody, body)).toEqual([''])
})

describe('lists', () => {
  test.each([
    [{}, []],
    [{ limit: '250', status: 'active', cursor: 'x' }, []],
    [{ limit: '0' }, ['/limit']],
    [{ limit: '251' }, ['/limit']],
    [{ limit: '1e2' }, ['/limit']],
    [{ limit: '-1' }, ['/limit']],
    [{ limit: ['1', '2'] }, ['/limit']],
    [{ status: 'deleted' }, ['/status']],
    [{ cursor: ['a', 'b'], colour: 'red' }, ['/colour', '/cursor']],
  ])('%j has its faults named', (query, pointers) => {
    expect(pointersOf(ListWebhooksQuery, query).sort()).toEqual(pointers)
  })

  test('of deliveries know the statuses of deliveries', () => {
    expect(pointersOf(ListDeliveriesQuery, { status: 'retry', webhook: 'webhook_1', event: 'e' })).toEqual([])
    expect(pointersOf(ListDeliveriesQuery, { status: 'active', webhook: ['a', 'b'] }).sort()).toContain('/status')
  })
})

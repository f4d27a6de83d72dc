import { readFileSync } from 'node:fs'
import { Parser } from '@asyncapi/parser'
import { beforeAll, describe, expect, test } from '@jest/globals'
import type { DiscardReason, FailureClass, OutcomeKind, WebhookEvent } from '@posthorn/webhook'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { ALL_TOPICS, decodeEvent, encodeAttempt, encodeEvent, MAX_RECORD_BYTES, type Attempt } from './index.js'

interface Schema {
  readonly enum?: readonly string[]
  readonly properties: Readonly<Record<string, Schema>>
}
interface Example {
  readonly headers: Readonly<Record<string, string>>
  readonly payload: object
}
interface Message {
  readonly examples: readonly Example[]
}
interface Channel {
  readonly address: string
  readonly bindings: { readonly kafka: { readonly topic: string; readonly topicConfiguration: object } }
}
interface Document {
  readonly channels: Readonly<Record<string, Channel>>
  readonly components: {
    readonly messages: Readonly<Record<string, Message>>
    readonly schemas: Readonly<Record<string, Schema>>
  }
}

const read = (path: string) => readFileSync(new URL(`../../../docs/${path}`, import.meta.url), 'utf8')

/** Every member that an attempt can have: one more does not compile without being here. */
const ATTEMPT: Required<Attempt> = {
  delivery: 'msg_1',
  run: '0',
  attempt: 1,
  webhook: 'whk_1',
  webhook_version: 1,
  tenant: 'acme',
  event: { id: '1', source: '/shop', type: 'order.paid', time: '2026-01-31T12:00:00.000Z' },
  accepted_at: '2026-01-31T12:00:00.000Z',
  outcome: 'retry',
  discard_reason: 'webhook_deleted',
  due_at: '2026-01-31T12:00:00.000Z',
  started_at: '2026-01-31T12:00:00.000Z',
  finished_at: '2026-01-31T12:00:00.123Z',
  duration_ms: 123,
  url: 'https://shop.example/hooks',
  status_code: 503,
  error_class: 'server.resource',
  error: 'connect ECONNREFUSED',
  advice: 'Wait.',
  response_body: 'busy',
  next_attempt_at: '2026-01-31T12:00:05.000Z',
  next: 'tier',
  trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  span_id: '00f067aa0ba902b7',
  remote_address: '192.0.2.1',
  tls_version: 'TLSv1.3',
  certificate_expires_at: '2027-01-01T00:00:00.000Z',
  phases: { dns_ms: 1, connect_ms: 2, tls_ms: 3, wait_ms: 100, read_ms: 0.5 },
}
const OUTCOMES: Record<OutcomeKind, true> = {
  delivered: true,
  retry: true,
  exhausted: true,
  expired: true,
  gone: true,
  discarded: true,
}
const REASONS: Record<DiscardReason, true> = { webhook_deleted: true, webhook_disabled: true, webhook_unknown: true }
const CLASSES: Record<FailureClass, true> = {
  'client.validation': true,
  'client.authentication': true,
  'client.rate_limit': true,
  'server.processing': true,
  'server.database': true,
  'server.resource': true,
  'network.timeout': true,
  'network.connection': true,
  'network.retry': true,
}
const EVENT: Required<WebhookEvent> = {
  tenant: 'acme',
  id: '1',
  source: '/shop',
  type: 'order.paid',
  time: '2026-01-31T12:00:00Z',
  contenttype: 'application/json',
  partitionkey: 'customer-7',
  subject: 'order-4711',
  dataschema: 'https://shop.example/schemas/order',
  extensions: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
}

let document: Document
let faults: string[]
let ajv: Ajv2020
beforeAll(async () => {
  const parsed = await new Parser().parse(read('asyncapi.yaml'))
  // 3.0 is meant: readers of 3.1 are few so far.
  const told = parsed.diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version')
  faults = told.map(({ message, path }) => `/${path.join('/')}: ${message}`)
  document = parsed.document?.json() as unknown as Document
  ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
})

/** What the schema has against the value; `null` when nothing. */
function faultsOf(schema: string, value: unknown) {
  const validate = ajv.compile(document.components.schemas[schema] as object)
  validate(value)
  return validate.errors ?? null
}

describe('docs/asyncapi.yaml', () => {
  test('is AsyncAPI, and its parser finds nothing to improve', () => {
    expect(faults).toEqual([])
  })

  test('has every public topic, as it is created', () => {
    const rows = read('topics.md').split('\n')
    const isPublic = (name: string) =>
      rows.some(row => row.includes(`\`posthorn.${name}\``) && /\*\*.*public/.test(row))
    const wanted = ALL_TOPICS.filter(({ name }) => isPublic(name)).map(({ name, cleanup, retentionMs }) => ({
      address: `posthorn.${name}`,
      topic: `posthorn.${name}`,
      configuration: {
        'cleanup.policy': [cleanup],
        'retention.ms': retentionMs,
        'max.message.bytes': MAX_RECORD_BYTES,
      },
    }))
    const documented = Object.values(document.channels).map(({ address, bindings: { kafka } }) => ({
      address,
      topic: kafka.topic,
      configuration: kafka.topicConfiguration,
    }))
    expect(documented).toEqual(wanted)
    expect(wanted.length).toBeGreaterThan(0)
  })

  test('knows every member of an attempt and every value that it can have', () => {
    const { properties } = document.components.schemas.attempt!
    expect(Object.keys(properties).sort()).toEqual(Object.keys(ATTEMPT).sort())
    expect(properties.outcome!.enum).toEqual(Object.keys(OUTCOMES))
    expect(properties.discard_reason!.enum).toEqual(Object.keys(REASONS))
    expect(properties.error_class!.enum).toEqual(Object.keys(CLASSES))
    const { value, headers } = encodeAttempt(ATTEMPT)
    expect(faultsOf('attemptEvent', JSON.parse(value!.toString()))).toBeNull()
    expect(headers).toEqual({ 'content-type': 'application/cloudevents+json' })
  })

  test.each([
    ['structured', 'application/json', 'structuredHeaders'],
    ['binary', 'text/plain', 'binaryHeaders'],
  ])('has every header and attribute of a %s event', (mode, contenttype, schema) => {
    const { value, headers } = encodeEvent({ ...EVENT, contenttype }, Buffer.from('{}'))
    expect(faultsOf(schema, headers)).toBeNull()
    const known = Object.keys(document.components.schemas[schema]!.properties)
    const extension = 'ce_traceparent'
    expect(Object.keys(headers!).filter(name => name !== extension && !known.includes(name))).toEqual([])
    if (mode === 'binary') return
    const envelope = JSON.parse(value!.toString()) as object
    expect(faultsOf('event', envelope)).toBeNull()
    const members = Object.keys(document.components.schemas.event!.properties)
    expect(Object.keys(envelope).filter(name => name !== 'traceparent' && !members.includes(name))).toEqual([])
  })

  test.each(['structuredEvent', 'binaryEvent'])('gives examples of %s that are accepted', message => {
    const [{ headers, payload }] = document.components.messages[message]!.examples as [Example]
    const read = decodeEvent(
      { key: null, value: Buffer.from(JSON.stringify(payload)), headers, timestamp: 0 },
      undefined,
    )
    expect(read).toMatchObject({ kind: 'event', event: { id: 'order-4711-paid', tenant: 'acme', type: 'order.paid' } })
  })

  test.each(['structuredEvent', 'binaryEvent'])('asks of %s for what is needed, and for no more', message => {
    const [{ headers, payload }] = document.components.messages[message]!.examples as [Example]
    const [schema, given] = message === 'binaryEvent' ? ['binaryHeaders', headers] : ['event', payload]
    for (const name of Object.keys(given).filter(each => each !== 'data' && each !== 'content-type')) {
      const { [name]: _, ...rest } = given as Record<string, unknown>
      const record = message === 'binaryEvent' ? { headers: rest, payload } : { headers, payload: rest }
      const value = Buffer.from(JSON.stringify(record.payload))
      const read = decodeEvent(
        { key: null, value, headers: record.headers as Record<string, string>, timestamp: 0 },
        'a',
      )
      expect([name, faultsOf(schema!, rest) === null]).toEqual([name, read.kind === 'event'])
    }
  })
})

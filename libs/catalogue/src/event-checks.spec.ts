import { describe, expect, it } from '@jest/globals'
import type { WebhookEvent } from '@posthorn/webhook'
import { EventChecks, type CheckedType, type MisfitReport } from './event-checks.js'

const SCHEMA = { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } }

function type(extra: Partial<CheckedType> = {}): CheckedType {
  const { tenant = 'acme', type: name = 'order.paid' } = extra
  return {
    id: `${tenant ?? '*'}/${name}`,
    tenant,
    type: name,
    version: 1,
    status: 'active',
    mode: 'enforce',
    schema: SCHEMA,
    ...extra,
  }
}

function event(extra: Partial<WebhookEvent> = {}): WebhookEvent {
  return {
    tenant: 'acme',
    id: '1',
    source: '/s',
    type: 'order.paid',
    time: '2026-01-01T00:00:00Z',
    contenttype: 'application/json',
    ...extra,
  }
}

function checks(...types: CheckedType[]) {
  const seen = { misfits: [] as string[], reports: [] as MisfitReport[], unusable: [] as string[], now: 0 }
  const made = new EventChecks({
    misfit: mode => void seen.misfits.push(mode),
    report: report => void seen.reports.push(report),
    unusable: ({ id }) => void seen.unusable.push(id),
    now: () => seen.now,
  })
  for (const one of types) made.put(one)
  return { made, seen }
}

const GOOD = Buffer.from('{"n":1}')
const BAD = Buffer.from('{"n":"1"}')
const REFUSED = [{ pointer: '/data/n', message: 'must be a whole number' }]

describe('S7 events are held against the schema of their type', () => {
  it('S7 enforced: what does not fit is refused with the place', () => {
    const { made, seen } = checks(type())
    expect([made.faults(event(), GOOD), made.faults(event(), BAD)]).toEqual([undefined, REFUSED])
    expect(seen.misfits).toEqual(['enforce'])
  })

  it('S7 warned of: it is counted and passes', () => {
    const { made, seen } = checks(type({ mode: 'warn' }))
    expect([made.faults(event(), BAD), seen.misfits]).toEqual([undefined, ['warn']])
  })

  it.each<[string, CheckedType | undefined, WebhookEvent]>([
    ['without a document', undefined, event()],
    ['of another type', type({ type: 'order.open' }), event()],
    ['of another tenant', type({ tenant: 'other' }), event()],
    ['switched off', type({ mode: 'off' }), event()],
    ['archived', type({ status: 'archived' }), event()],
    ['deleted', type({ status: 'deleted' }), event()],
    ['without a schema', type({ schema: undefined }), event()],
  ])('S7 what is %s is not checked', (_name, one, sent) => {
    const { made, seen } = checks(...(one ? [one] : []))
    expect([made.faults(sent, BAD), seen.misfits]).toEqual([undefined, []])
  })

  it('S7 a type of the tenant stands before the one of the platform, until it is gone', () => {
    const { made } = checks(type({ tenant: null }), type({ mode: 'off' }))
    expect(made.faults(event(), BAD)).toBeUndefined()
    expect(made.faults(event({ tenant: 'other' }), BAD)).toEqual(REFUSED)
    made.remove('acme/order.paid')
    expect(made.faults(event(), BAD)).toEqual(REFUSED)
    made.put(type({ tenant: null, status: 'deleted' }))
    expect([made.faults(event(), BAD), made.size]).toEqual([undefined, 0])
  })

  it('S7 a new version takes the place of the one before', () => {
    const { made } = checks(type())
    expect(made.faults(event(), BAD)).toEqual(REFUSED)
    made.put(type({ version: 2, schema: { properties: { n: { type: 'string' } } } }))
    expect([made.faults(event(), BAD), made.faults(event(), GOOD)?.length]).toEqual([undefined, 1])
  })

  it.each([
    ['no JSON by its own word', event({ contenttype: 'text/plain' }), GOOD, '/datacontenttype'],
    ['no JSON in truth', event(), Buffer.from('{'), '/data'],
    ['no data', event(), Buffer.alloc(0), '/data'],
  ])('S7 an event with %s does not fit', (_name, sent, data, pointer) => {
    expect(
      checks(type())
        .made.faults(sent, data)
        ?.map(one => one.pointer),
    ).toEqual([pointer])
  })

  it('S7 misfits are reported once a minute, with their number', () => {
    const { made, seen } = checks(type({ mode: 'warn' }))
    for (let i = 0; i < 100; i++) made.faults(event(), BAD)
    seen.now = 60_000
    made.faults(event(), BAD)
    expect(seen.reports.map(({ events }) => events)).toEqual([1, 100])
    expect(seen.reports[0]!.problems).toEqual(REFUSED)
  })

  it('S7 a schema that this version cannot read lets its events pass, and is told once', () => {
    const { made, seen } = checks(type({ schema: { $schema: 'https://json-schema.org/draft/2030-01/schema' } }))
    expect([made.faults(event(), BAD), made.faults(event(), BAD)]).toEqual([undefined, undefined])
    expect(seen.unusable).toEqual(['acme/order.paid'])
  })
})

describe('S1 what the catalogue of a tenant has', () => {
  const { made } = checks(
    type(),
    type({ type: 'order.old', status: 'deprecated' }),
    type({ type: 'order.gone', status: 'archived' }),
    type({ type: 'order.behind', status: 'archived' }),
    type({ tenant: null, type: 'order.behind' }),
    type({ tenant: null, type: 'order.wide' }),
  )

  it.each([
    ['acme', 'order.paid', true],
    ['other', 'order.paid', false],
    ['acme', 'order.old', true],
    ['acme', 'order.gone', false],
    ['acme', 'order.behind', true],
    ['other', 'order.wide', true],
    ['other', 'agent.created', true],
    ['other', 'posthorn.anything', true],
    ['acme', 'order', false],
    ['acme', 'constructor', false],
  ])('S1 %s: %s', (tenant, name, known) => {
    expect(made.knows(tenant, name)).toBe(known)
  })

  it('S1 forgets a type that is taken away', () => {
    const { made: fresh } = checks(type())
    fresh.remove(type().id)
    expect(fresh.knows('acme', 'order.paid')).toBe(false)
  })
})

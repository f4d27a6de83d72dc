import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import {
  ALL_TOPICS,
  decodeAttempt,
  decodeDeadLetter,
  decodeDelivery,
  decodeEvent,
  decodeGone,
  decodeKey,
  decodeKeyUse,
  decodeParked,
  decodeTenant,
  decodeWebhook,
  encodeDelivery,
  frame,
  FRAME_VERSION,
} from './index.js'

/**
 * Records as released builds wrote them, byte for byte: a file for each build, named by its month. They
 * stay as they are: N reads what N-1 wrote. A build that writes something new adds a file.
 */
const FOLDER = join(import.meta.dirname, '..', 'old-records')

interface OldRecord {
  readonly topic: string
  readonly key?: string
  /** Base64. */
  readonly value: string
  readonly headers?: Readonly<Record<string, string>>
}

const builds = readdirSync(FOLDER)
const recordsOf = (build: string) => JSON.parse(readFileSync(join(FOLDER, build), 'utf8')) as OldRecord[]
const bytes = ({ value }: OldRecord) => Buffer.from(value, 'base64')
const of = (build: string, topic: string) => recordsOf(build).filter(record => record.topic === topic)

const EVENT = {
  tenant: 'acme',
  id: 'order-17',
  source: '/shop',
  type: 'order.changed',
  partitionkey: 'customer-4',
  subject: 'orders/17',
  extensions: { xregion: 'eu' },
}
const DATA = '{"total": 12.50, "größe":  "L"}'

describe.each(builds)('what the build %s wrote', build => {
  it('is of topics that there still are', () => {
    const names = ALL_TOPICS.map(({ name }) => name)
    expect(recordsOf(build).filter(({ topic }) => !names.includes(topic))).toEqual([])
  })

  it('is read as events and deliveries, with the bytes of the data', () => {
    const [event] = of(build, 'events.v1')
    const read = decodeEvent(
      { key: Buffer.from(event!.key!), value: bytes(event!), headers: event!.headers!, timestamp: 0 },
      'none',
    )
    expect(read).toMatchObject({ kind: 'event', event: EVENT })
    expect(read.kind === 'event' && read.data.toString()).toBe(DATA)
    const delivery = decodeDelivery(bytes(of(build, 'deliveries.v1')[0]!))
    expect(delivery).toMatchObject({
      kind: 'delivery',
      delivery: {
        run: '0',
        attempt: 2,
        due: 1_795_892_400_000,
        acceptedAt: 1_795_892_395_000,
        webhookVersion: 3,
        origin: { partition: 5, offset: 12_345 },
        spills: 1,
        order: 'customer-4',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        event: EVENT,
      },
    })
    expect(delivery.kind === 'delivery' && delivery.data.toString()).toBe(DATA)
  })

  it('is read as attempts and dead letters', () => {
    const attempt = { attempt: 1, outcome: 'retry', next: 'tier', status_code: 503, error_class: 'server' }
    expect(decodeAttempt(bytes(of(build, 'attempts.v1')[0]!))).toMatchObject({ kind: 'attempt', attempt })
    const dead = decodeDeadLetter(bytes(of(build, 'dead-letters.v1')[0]!))
    expect(dead).toMatchObject({ kind: 'dead-letter', delivery: { attempt: 2, event: EVENT } })
  })

  it('is read as documents of the tables and facets', () => {
    const document = (read: object, wanted: object) =>
      expect(read).toMatchObject({ kind: 'document', document: wanted })
    document(decodeWebhook(bytes(of(build, 'webhooks.v1')[0]!)), { version: 3, status: 'active', events: ['order.*'] })
    document(decodeTenant(bytes(of(build, 'tenants.v1')[0]!)), { id: 'acme', eventsPerSecond: 10 })
    document(decodeKey(bytes(of(build, 'keys.v1')[0]!)), {
      tenant: 'acme',
      roles: ['publish'],
      allowedIps: ['10.0.0.0/8'],
    })
    document(decodeKeyUse(bytes(of(build, 'key-uses.v1')[0]!)), { id: 'key_1', version: 29_931_540 })
    const [gone, parked] = of(build, 'webhook-state.v1')
    document(decodeGone(bytes(gone!)), { status: 'gone', version: 3, tenant: 'acme' })
    document(decodeParked(bytes(parked!)), { key: 'customer-4', partition: 5, next: 12_350, left: [12_345] })
  })
})

describe('what this build writes', () => {
  it('has a frame version that the newest of the old records has, or a file of its own', () => {
    const newest = [...builds].sort().at(-1)!
    expect(bytes(of(newest, 'deliveries.v1')[0]!)[0]).toBe(FRAME_VERSION)
  })

  it('can be read by the build before: members that it does not know change nothing', () => {
    const old = decodeDelivery(bytes(of(builds[0]!, 'deliveries.v1')[0]!))
    if (old.kind !== 'delivery') throw new Error('the old delivery is none')
    const written = encodeDelivery(old.delivery, old.data).value!
    const length = written.readUInt32BE(1)
    const head = JSON.parse(written.toString('utf8', 5, 5 + length)) as object
    const newer = frame({ ...head, of_a_later_build: { x: 1 } }, written.subarray(5 + length))
    expect(decodeDelivery(newer)).toMatchObject({ kind: 'delivery', delivery: old.delivery })
  })
})

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { HistoryPartitions, HistoryWriter, openHistoryPool } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { queryDatabase, until } from '@posthorn/testkit'
import { decodeEvent, redriveOf, type PoisonHead } from '@posthorn/topics'
import { KafkaConnection, kafkaOptionsFrom } from '@posthorn/kafka'
import type { Consumer, KafkaMessage } from 'kafkajs'
import { poisonId } from './poison-id.js'
import { TestRegistry, type Answer } from './test-registry.js'

const WAIT_MS = 30_000
const NOW = Date.now()
/** No text, and no frame. */
const BYTES = Buffer.from([0xff, 0x00, 0x0a, 0xfe, 0x7f])
let registry: TestRegistry
let connection: KafkaConnection
let reader: Consumer
let offset = 0
const seen: { readonly topic: string; readonly partition: number; readonly message: KafkaMessage }[] = []

beforeAll(async () => {
  registry = await TestRegistry.start()
  connection = new KafkaConnection(kafkaOptionsFrom(registry.settings, createLogger('silent', 'test'), 'poison-test'))
  reader = connection.kafka.consumer({ groupId: `${connection.prefix}poison-reader`, maxWaitTimeInMs: 100 })
  await reader.connect()
  const topics = ['events.v1', 'deliveries.v1', 'delay.0s.v1', 'attempts.v1'].map(name => connection.prefix + name)
  await reader.subscribe({ topics, fromBeginning: true })
  await reader.run({
    eachMessage: async ({ topic, partition, message }) => void seen.push({ topic, partition, message }),
  })
}, 60_000)
afterAll(async () => {
  await reader.disconnect()
  await registry.stop()
}, 30_000)

/** Sets a record aside, as the monitor writes it; resolves with its id. */
async function setAside(change: Partial<PoisonHead> = {}, value = BYTES, tenant?: string): Promise<string> {
  const place = { topic: 'events.v1', partition: 0, offset: offset++, timestamp: NOW }
  const head: PoisonHead = { ...place, reason: 'undecodable', detail: 'd', key: 'k', size: value.length, ...change }
  const pool = openHistoryPool(registry.database.url, { max: 1, name: 'test', onError: () => undefined })
  const entry = { kind: 'poison' as const, head, value, ...(tenant === undefined ? {} : { tenant }) }
  const group = randomBytes(4).toString('hex')
  const line = { topic: 'poison.v1', partition: 0, offset: 0, timestamp: NOW, entry }
  await new HistoryWriter(pool, new HistoryPartitions(pool, 14), group).write([line], NOW)
  await pool.end()
  return poisonId({ topic: head.topic, partition: head.partition, offset: head.offset, at: head.timestamp })
}

const redrive = (id: string, headers = {}): Promise<Answer> =>
  registry.call('POST', `/v1/poison/${id}/redrive`, undefined, { headers })
const putBack = (id: string) => seen.filter(({ message }) => redriveOf({ headers: message.headers! })?.of === id)

describe('poison', () => {
  test('is read with its whole value, its place, reason and count', async () => {
    const value = Buffer.alloc(10_000, 'v')
    const id = await setAside({ reason: 'handler_failed', count: 3, previous: 'poison_x', headers: { a: 'b' } }, value)
    const { json } = await registry.call('GET', `/v1/poison/${id}`)
    expect(json).toMatchObject({
      ...{ id, status: 'open', tenant: null, topic: 'events.v1', partition: 0, offset: offset - 1, count: 3 },
      ...{ reason: 'handler_failed', detail: 'd', previous: 'poison_x', redrivable: true, redriven_at: null },
      ...{ key: 'k', headers: { a: 'b' }, size: 10_000, value_base64: value.toString('base64') },
    })
    const [first] = (await registry.call('GET', '/v1/poison?limit=1')).json.data
    expect(first).toMatchObject({ id, value_base64: value.subarray(0, 4096).toString('base64') })
  })

  test('is put back once as it was, marked, and in the audit', async () => {
    const id = await setAside({ headers: { 'content-type': 'x/y' }, count: 2, webhook: 'webhook_1' }, BYTES, 'default')
    const { status, json } = await redrive(id)
    expect([status, json]).toMatchObject([200, { id, status: 'redriven', redriven_by: 'platform' }])
    expect(Date.parse(json.redriven_at as string)).toBeGreaterThan(NOW - 60_000)
    await until(() => putBack(id).length > 0, WAIT_MS)
    const [{ topic, partition, message }] = putBack(id) as [(typeof seen)[number]]
    expect([topic, partition]).toEqual([`${connection.prefix}events.v1`, 0])
    expect([message.key!.toString(), message.value!.equals(BYTES)]).toEqual(['k', true])
    expect(message.headers!['content-type']!.toString()).toBe('x/y')
    expect(redriveOf({ headers: message.headers! })).toEqual({ of: id, count: 2, webhook: 'webhook_1' })

    expect(await redrive(id)).toMatchObject({ status: 409, json: { code: 'poison_redriven' } })
    expect((await registry.call('GET', `/v1/poison/${id}`)).json).toEqual(json)
    const audit = await registry.call('GET', `/v1/audit?subject=${id}`)
    expect(audit.json.data).toMatchObject([
      { action: 'poison.redriven', tenant: 'default', before: { status: 'open' }, after: { status: 'redriven' } },
    ])
    expect(audit.text).not.toContain(BYTES.toString('base64'))
    const listed = async (query: string) =>
      (await registry.call('GET', `/v1/poison?${query}`)).json.data.map(one => one.id)
    expect([await listed('status=redriven'), await listed('status=open')]).toEqual([
      [id],
      expect.not.arrayContaining([id]),
    ])
  })

  test('two redrives at once put it back once', async () => {
    const id = await setAside()
    const statuses = (await Promise.all(Array.from({ length: 8 }, () => redrive(id)))).map(({ status }) => status)
    expect(statuses.sort()).toEqual([200, ...Array.from({ length: 7 }, () => 409)])
    const last = await setAside()
    await redrive(last)
    await until(() => putBack(last).length > 0, WAIT_MS)
    expect(putBack(id)).toHaveLength(1)
  })

  test('the same Idempotency-Key is answered again', async () => {
    const id = await setAside()
    const [one, two] = [await redrive(id, { 'idempotency-key': id }), await redrive(id, { 'idempotency-key': id })]
    expect([two.status, two.json, two.headers.get('idempotent-replayed')]).toEqual([200, one.json, 'true'])
  })

  test('a claim of a process that was killed ends, and what Kafka has acknowledged alone is marked', async () => {
    const id = await setAside()
    const at = `topic = 'events.v1' and "offset" = ${offset - 1}`
    const claim = (until: string) =>
      queryDatabase(registry.database.url, `update history_poison set claimed_until = ${until} where ${at}`)
    await claim("now() + interval '1 minute'")
    expect(await redrive(id)).toMatchObject({ status: 409, json: { code: 'poison_redriven' } })
    expect((await registry.call('GET', `/v1/poison/${id}`)).json.status).toBe('open')
    await claim("now() - interval '1 second'")
    expect((await redrive(id)).status).toBe(200)
  })

  test.each([
    ['of a delay topic: to the shortest', { topic: 'delay.6h.v1' }, 'delay.0s.v1', {}],
    [
      'that the history alone gave up on',
      { topic: 'attempts.v1', reader: 'monitor' as const },
      'attempts.v1',
      { reader: 'monitor' },
    ],
  ])('what is put back: %s', async (_, change, topic, says) => {
    const id = await setAside(change)
    expect((await redrive(id)).status).toBe(200)
    await until(() => putBack(id).length > 0, WAIT_MS)
    expect(putBack(id)[0]!.topic).toBe(connection.prefix + topic)
    expect(redriveOf({ headers: putBack(id)[0]!.message.headers! })).toEqual({ of: id, count: 1, ...says })
  })

  test.each([
    ['that was too large to keep', { size: 2_000_000 }, Buffer.alloc(0)],
    ['whose headers were cut', { partial: true as const }, BYTES],
    ['that the deliverers have handled', { topic: 'deliveries.v1', reader: 'monitor' as const }, BYTES],
    ['of a source that is not known', { topic: 'orders', source: 'configured' }, BYTES],
  ])('is left where it is: %s', async (_, change, value) => {
    const id = await setAside(change, value)
    expect(await redrive(id)).toMatchObject({ status: 409, json: { code: 'poison_not_redrivable' } })
    expect((await registry.call('GET', `/v1/poison/${id}`)).json.status).toBe('open')
  })

  test.each(['poison_nothing', '%00', poisonId({ topic: 'events.v1', partition: 0, offset: 999, at: NOW })])(
    '%s is not there',
    async id => {
      expect(await registry.call('GET', `/v1/poison/${id}`)).toMatchObject({ json: { code: 'poison_not_found' } })
      expect(await redrive(id)).toMatchObject({ status: 404, json: { code: 'poison_not_found' } })
    },
  )

  test('of a topic of your own becomes the event that its source makes of it now, and nothing is written there', async () => {
    const event = { tenant: 'default', type: { pointer: '/kind' } }
    const { json } = await registry.call('POST', '/v1/sources', { topic: 'shop.orders', start: 'earliest', event })
    const of = { topic: 'shop.orders', source: json.id, reason: 'invalid_event' as const }
    const [bad, good] = [
      await setAside(of, Buffer.from('{}')),
      await setAside(of, Buffer.from('{"kind":"order.paid"}')),
    ]
    const refused = await redrive(bad)
    expect(refused.json).toMatchObject({ code: 'poison_not_redrivable', detail: expect.stringContaining('/type') })
    expect((await redrive(good)).status).toBe(200)
    const made = () =>
      seen.flatMap(({ message: { key, value, headers, timestamp } }) => {
        const read = decodeEvent({ key, value, headers: headers!, timestamp: Number(timestamp) }, undefined)
        return read.kind !== 'bad' && read.event.type === 'order.paid' ? [read.event] : []
      })
    await until(() => made().length > 0, WAIT_MS)
    expect(made()).toMatchObject([{ tenant: 'default', source: 'kafka:shop.orders' }])
  })
})

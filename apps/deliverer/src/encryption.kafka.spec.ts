import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from '@jest/globals'
import { createLogger } from '@posthorn/telemetry'
import { until, type ReceivedRequest, type Receiver } from '@posthorn/testkit'
import { BULK, DELIVERIES, DUE } from '@posthorn/topics'
import { verify, verifyHub } from '@posthorn/verify'
import {
  authenticationContext,
  encryptionKeyFrom,
  FORMATS,
  headerContext,
  secretContext,
  secretFrom,
  type Delivery,
  type Encryption,
  type Signing,
  type Webhook,
} from '@posthorn/webhook'
import { compactDecrypt } from 'jose'
import { TestDeliverer } from './test-deliverer.js'

const WAIT_MS = 60_000
const OLDER = secretFrom(Buffer.alloc(32, 4))
/** In the data, the attributes and the webhook's own header: none of it may be seen from outside. */
const PLANTED = 'planted-5f0c'
const DATA = Buffer.from(`{"n": 1.0, "card": "${PLANTED}"}`)
const PAIRS = {
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  X25519: generateKeyPairSync('x25519'),
  RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }),
}
const keyOf = (pair: { publicKey: KeyObject }) => encryptionKeyFrom({ ...pair.publicKey.export({ format: 'jwk' }) })

const lines: string[] = []
const logger = createLogger('debug', 'encryption.kafka.spec', { write: line => void lines.push(line) })
const deliverer = new TestDeliverer({ partitions: 1, logger })
const { sealer, secret: SECRET } = deliverer

const receiver = (statuses: readonly number[] = []) =>
  deliverer.receiver((_request, index) => ({ status: statuses[index] ?? 200 }))

function webhookTo({ url }: Receiver, encryption: Encryption, more: Partial<Webhook> = {}): Webhook {
  const webhook = deliverer.webhook(url, { encryption, ...more })
  return { ...webhook, sealedHeaders: { 'x-token': sealer.seal(PLANTED, headerContext(webhook.id, 'x-token')) } }
}

function deliveryTo(webhook: Webhook): Delivery {
  const delivery = deliverer.deliveryTo(webhook)
  return { ...delivery, event: { ...delivery.event, subject: PLANTED } }
}

const publish = (webhook: Webhook) => deliverer.publish(webhook)
const give = (delivery: Delivery, topic = DELIVERIES) => deliverer.give(delivery, DATA, topic)

/** What a receiver does: checks the signature over what came, then decrypts it. */
async function read({ headers, body }: ReceivedRequest, key: KeyObject) {
  verify({ body, headers, secrets: SECRET })
  const { plaintext, protectedHeader } = await compactDecrypt(body, key)
  return { plaintext: Buffer.from(plaintext), type: protectedHeader.cty, kid: protectedHeader.kid }
}

beforeAll(async () => {
  await deliverer.prepare()
  await deliverer.start()
}, 60_000)
afterEach(() => deliverer.closeReceivers())
afterAll(() => deliverer.close(), 60_000)

describe('S7 encrypted payloads', () => {
  it.each(FORMATS)('in the format %s only the receiver reads body, attributes and the chosen header', async format => {
    const target = await receiver()
    const pair = PAIRS['P-256']
    const encryption = { key: keyOf(pair), headers: ['x-token'], attributes: true } as const
    const webhook = webhookTo(target, encryption, { format })
    await publish(webhook)
    await give(deliveryTo(webhook))
    const [request] = await target.waitFor(1, WAIT_MS)
    expect(request!.headers['content-type']).toBe('application/jose')
    expect(JSON.stringify(request!.headers) + request!.body.toString()).not.toContain(PLANTED)
    const { plaintext, type } = await read(request!, pair.privateKey)
    expect(type).toBe('application/vnd.posthorn.request+json')
    const inside = JSON.parse(plaintext.toString()) as { headers: Record<string, string>; body_base64: string }
    expect(inside.headers).toMatchObject({ 'x-token': PLANTED, 'content-type': expect.stringMatching(/json/) })
    if (format === 'cloudevents_binary') expect(inside.headers).toMatchObject({ 'ce-subject': PLANTED })
    const body = Buffer.from(inside.body_base64, 'base64').toString()
    if (format === 'thin') expect(JSON.parse(body)).toMatchObject({ type: 'agent.created' })
    else expect(body).toContain(DATA.toString())
  })

  it.each(Object.keys(PAIRS) as (keyof typeof PAIRS)[])('for a key of the kind %s', async kind => {
    const target = await receiver()
    const key = keyOf(PAIRS[kind])
    const webhook = webhookTo(target, { key })
    await publish(webhook)
    await give(deliveryTo(webhook))
    const [request] = await target.waitFor(1, WAIT_MS)
    expect(request!.headers['x-token']).toBe(PLANTED)
    const { plaintext, ...about } = await read(request!, PAIRS[kind].privateKey)
    expect(about).toEqual({ type: 'application/json', kid: key.kid })
    expect(plaintext.toString()).toBe(
      `{"type":"agent.created","timestamp":"2026-01-31T12:00:00Z","data":${DATA.toString()}}`,
    )
  })

  it('S10 attempts and replays have one webhook-id, and a new key holds from the next attempt on', async () => {
    const target = await receiver([500, 500])
    const [old, fresh] = [PAIRS['P-256'], PAIRS.X25519]
    const webhook = webhookTo(target, { key: keyOf(old) })
    await publish(webhook)
    const delivery = deliveryTo(webhook)
    await give(delivery)
    await target.waitFor(1, WAIT_MS)
    await publish({ ...webhook, version: 2, encryption: { key: keyOf(fresh) } })
    await give({ ...delivery, webhookVersion: 2, attempt: 2 }, DUE)
    await target.waitFor(2, WAIT_MS)
    await give({ ...delivery, webhookVersion: 2, run: 'replay_1' }, BULK)
    const requests = await target.waitFor(3, WAIT_MS)
    expect(new Set(requests.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([delivery.id]))
    const plain = await Promise.all(
      requests.map((request, index) => read(request, (index === 0 ? old : fresh).privateKey)),
    )
    expect(new Set(plain.map(({ plaintext }) => plaintext.toString())).size).toBe(1)
    expect(new Set(requests.map(({ body }) => body.toString())).size).toBe(3)
  })

  // What a deliverer sees that is too old to know `encryption`, and what a registry publishes that is.
  it('sends nothing where the document has lost its encryption, and holds up no other webhook', async () => {
    const [secret, other] = [await receiver(), await receiver()]
    const { encryption, ...stripped } = webhookTo(secret, { key: keyOf(PAIRS.RSA) })
    const fine = webhookTo(other, encryption!)
    await publish(stripped)
    await publish(fine)
    await give(deliveryTo(stripped))
    await give(deliveryTo(fine))
    await other.waitFor(1, WAIT_MS)
    await until(() => lines.some(line => line.includes('secret_sealed') && line.includes(stripped.id)), WAIT_MS)
    expect(secret.requests).toHaveLength(0)
  })
})

test('S6 a webhook is signed as it says, by a header of its own too, and one whose document has lost it, or that is not known, gets nothing', async () => {
  const [target, stripped] = [await receiver(), await receiver()]
  const signedTo = ({ url }: Receiver, signing: Signing, secrets: readonly string[]) => {
    const { encryption: _, sealedSecrets: __, ...plain } = webhookTo({ url } as Receiver, { key: keyOf(PAIRS.X25519) })
    const context = secretContext({ ...plain, signing })
    return { ...plain, signing, sealedSecrets: secrets.map(secret => sealer.seal(secret, context)) }
  }
  const sha512 = signedTo(target, { type: 'standard_sha512' }, [SECRET, OLDER])
  const hub = signedTo(target, { type: 'hub', header: 'x-acme' }, [SECRET, OLDER])
  const { signing: lost, ...without } = signedTo(stripped, hub.signing, [SECRET])
  // As a version that is too old sees a type that came after it.
  const later = signedTo(stripped, { type: 'later' } as unknown as Signing, [SECRET])
  for (const webhook of [without, later, sha512, hub]) {
    await publish(webhook)
    await give(deliveryTo(webhook))
  }
  const requests = await target.waitFor(2, WAIT_MS)
  const byHub = requests.find(({ headers }) => headers['x-acme'] !== undefined)!
  const bySha512 = requests.find(one => one !== byHub)!
  for (const secrets of [SECRET, OLDER]) verify({ ...bySha512, secrets })
  expect(bySha512.headers['webhook-signature']).toMatch(/^hs512,\S+ hs512,\S+$/)
  verifyHub({ ...byHub, header: 'X-Acme', secrets: OLDER })
  expect(byHub.headers).not.toHaveProperty('webhook-signature')
  expect(lost).toEqual(hub.signing)
  for (const { id } of [without, later])
    await until(() => lines.some(line => line.includes('secret_sealed') && line.includes(id)), WAIT_MS)
  expect(stripped.requests).toHaveLength(0)
})

test('S7 an authentication reaches the receiver beside the encrypted body, and no line of the log has it', async () => {
  const target = await receiver([500])
  const { id, ...rest } = webhookTo(target, { key: keyOf(PAIRS.X25519) })
  const sealed = sealer.seal('Bearer planted-c41d', authenticationContext(id, 'authorization'))
  const guarded = { id, ...rest, authentication: { header: 'authorization', sealed } }
  const webhook = { ...guarded, sealedSecrets: [sealer.seal(SECRET, secretContext(guarded))] }
  await publish(webhook)
  await give(deliveryTo(webhook))
  await give(deliveryTo(webhook))
  const requests = await target.waitFor(2, WAIT_MS)
  expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer planted-c41d', 'Bearer planted-c41d'])
  await Promise.all(requests.map(request => read(request, PAIRS.X25519.privateKey)))
  await until(() => lines.some(line => line.includes(webhook.id) && line.includes('500')), WAIT_MS)
  expect(lines.filter(line => line.includes('planted-') || line.includes(SECRET))).toEqual([])
})

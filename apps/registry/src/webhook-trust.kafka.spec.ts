import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { TableFollower } from '@posthorn/kafka'
import { Sealer } from '@posthorn/sealing'
import { createAuthority } from '@posthorn/testkit'
import { decodeWebhook, WEBHOOKS } from '@posthorn/topics'
import { secretContext, type Webhook } from '@posthorn/webhook'
import { calculateJwkThumbprint } from 'jose'
import { TestRegistry } from './test-registry.js'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const GOOD = { url: 'https://example.com/hook', events: ['*'], secret: SECRET, headers: { 'X-Token': 't', 'x-b': 'b' } }
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const KEY: JsonWebKey = pair.publicKey.export({ format: 'jwk' })
const OTHER: JsonWebKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })

let registry: TestRegistry
let sealer: Sealer
let webhooks: TableFollower<Webhook>

beforeAll(async () => {
  registry = await TestRegistry.start()
  sealer = new Sealer(registry.settings.sealingKeys)
  const fatal = (error: Error) => {
    throw error
  }
  webhooks = new TableFollower<Webhook>(registry.connection, { topic: WEBHOOKS, decode: decodeWebhook, fatal })
  await webhooks.start()
}, 60_000)
afterAll(async () => {
  await webhooks?.stop()
  await registry?.stop()
}, 30_000)

const create = (more: object) => registry.call('POST', '/v1/webhooks', { ...GOOD, ...more })
const patch = (id: string, body: object) => registry.call('PATCH', `/v1/webhooks/${id}`, body)
const pointers = ({ json }: { json: object }) => (json as { errors: { pointer: string }[] }).errors.map(e => e.pointer)

async function published(id: string, version: number): Promise<Webhook> {
  expect(await webhooks.waitFor(id, version, 30_000)).toBe(true)
  return webhooks.get(id)!
}

describe('S7 encryption of a webhook', () => {
  test('is shown as it is kept, carried by the topic, replaced, and taken away', async () => {
    const { json } = await create({ encryption: { key: { ...KEY, use: 'enc' }, headers: ['X-Token'] } })
    const kid = await calculateJwkThumbprint(KEY as object)
    expect(json.encryption).toEqual({ key: { ...KEY, kid }, headers: ['x-token'], attributes: false })
    expect((await published(json.id, 1)).encryption).toEqual({ key: { ...KEY, kid }, headers: ['x-token'] })

    const replaced = await patch(json.id, { encryption: { key: { ...OTHER, kid: 'next' }, attributes: true } })
    expect(replaced.json.encryption).toEqual({ key: { ...OTHER, kid: 'next' }, headers: ['x-token'], attributes: true })
    const none = await patch(json.id, { encryption: null })
    expect(none.json).toMatchObject({ encryption: null, version: 3 })
    expect(await published(json.id, 3)).not.toHaveProperty('encryption')
  })

  test('a secret opens only beside the encryption that it was published with, whatever becomes of both', async () => {
    const { json } = await create({ uid: 'bound', encryption: { key: KEY } })
    const { id } = json
    const opens = async (version: number) => {
      const webhook = await published(id, version)
      const context = secretContext(webhook)
      expect(() => sealer.unseal(webhook.sealedSecrets[0]!, context === id ? `${id} with encryption` : id)).toThrow()
      return webhook.sealedSecrets.map(sealed => sealer.unseal(sealed, context))
    }
    expect(await opens(1)).toEqual([SECRET])
    const { json: rotated } = await registry.call('POST', `/v1/webhooks/${id}/secrets/rotate`, {})
    expect(await opens(2)).toEqual([rotated.secret, SECRET])
    await patch(id, { encryption: null })
    expect(await opens(3)).toEqual([rotated.secret, SECRET])
    await patch(id, { encryption: { key: OTHER } })
    expect(await opens(4)).toEqual([rotated.secret, SECRET])
    const revealed = await registry.call('POST', `/v1/webhooks/${id}/secrets/${rotated.id}/reveal`)
    expect(revealed.json.secret).toBe(rotated.secret)
    await registry.call('PUT', '/v1/webhooks/by-uid/bound', { ...GOOD, encryption: undefined })
    expect(await opens(5)).toEqual([SECRET])
    await registry.call('PUT', '/v1/webhooks/by-uid/bound', { ...GOOD, encryption: { key: KEY } })
    expect(await opens(6)).toEqual([SECRET])
    const same = await registry.call('PUT', '/v1/webhooks/by-uid/bound', { ...GOOD, encryption: { key: KEY } })
    expect(same.json.version).toBe(6)
  })

  test.each<[string, object, string]>([
    ['a private key', { key: pair.privateKey.export({ format: 'jwk' }) }, '/encryption/key'],
    [
      'a weak key',
      { key: { kty: 'RSA', n: Buffer.alloc(128, 255).toString('base64url'), e: 'AQAB' } },
      '/encryption/key/n',
    ],
    ['an unknown curve', { key: { ...KEY, crv: 'secp256k1' } }, '/encryption/key/crv'],
    ['no key', { headers: ['x-b'] }, '/encryption/key'],
    ['a header that it does not have', { key: KEY, headers: ['x-b', 'x-tokn'] }, '/encryption/headers/1'],
    ['headers that are none', { key: KEY, headers: [1] }, '/encryption/headers/0'],
    ['attributes that are not yes or no', { key: KEY, attributes: 'yes' }, '/encryption/attributes'],
    ['an unknown field', { key: KEY, keys: [] }, '/encryption/keys'],
  ])('is refused at registration with %s, and nothing of a key is told', async (_what, encryption, pointer) => {
    const answer = await create({ encryption })
    expect([answer.status, pointers(answer)]).toEqual([400, [pointer]])
    expect(answer.text).not.toContain(pair.privateKey.export({ format: 'jwk' }).d)
  })

  test('a change is refused that would leave a header in the clear that is to go inside', async () => {
    const { json } = await create({ encryption: { key: KEY, headers: ['x-token'] } })
    const answer = await patch(json.id, { headers: { 'X-Token': null } })
    expect([answer.status, pointers(answer)]).toEqual([400, ['/encryption/headers/0']])
    const both = await patch(json.id, { headers: { 'X-Token': null }, encryption: { headers: null } })
    expect([both.status, both.json.encryption]).toMatchObject([200, { headers: [] }])
  })
})

describe('S7 authentication of a webhook', () => {
  const BASIC = { type: 'basic', username: 'posthorn', password: 'planted-9b1e' }
  const SEALED = 'planted-9b1e|planted-77aa|' + Buffer.from('posthorn:planted-9b1e').toString('base64')

  test('is shown redacted everywhere, sealed on the topic, replaced as a whole and taken away', async () => {
    const made = await create({ authentication: BASIC })
    const { id } = made.json
    expect(made.json.authentication).toEqual({ ...BASIC, password: '[redacted]' })
    const { authentication, sealedSecrets } = await published(id, 1)
    expect(authentication!.header).toBe('authorization')
    const opened = sealer.unseal(authentication!.sealed, `${id} authentication authorization`)
    expect(opened).toBe(`Basic ${Buffer.from('posthorn:planted-9b1e').toString('base64')}`)
    expect(sealer.unseal(sealedSecrets[0]!, `${id} with authentication`)).toBe(SECRET)
    expect(() => sealer.unseal(sealedSecrets[0]!, id)).toThrow()

    const replaced = await patch(id, { authentication: { type: 'api_key', header: 'X-Key', value: 'planted-77aa' } })
    expect(replaced.json.authentication).toEqual({ type: 'api_key', header: 'x-key', value: '[redacted]' })
    expect(await published(id, 2)).toMatchObject({ authentication: { header: 'x-key' } })
    const audit = await registry.call('GET', `/v1/audit?limit=100`)
    expect(made.text + replaced.text + audit.text).not.toMatch(new RegExp(SEALED))
    expect(audit.text).toContain(id)

    const none = await patch(id, { authentication: null })
    expect(none.json).toMatchObject({ authentication: null, version: 3 })
    const last = await published(id, 3)
    expect(last).not.toHaveProperty('authentication')
    expect(sealer.unseal(last.sealedSecrets[0]!, id)).toBe(SECRET)
  })

  test('set to what it is, it is no new version', async () => {
    const body = { ...GOOD, authentication: BASIC, encryption: { key: KEY } }
    const { json } = await registry.call('PUT', '/v1/webhooks/by-uid/authenticated', body)
    const again = await registry.call('PUT', '/v1/webhooks/by-uid/authenticated', body)
    const patched = await patch(json.id, { authentication: BASIC })
    expect([again.json.version, patched.json.version]).toEqual([1, 1])
    const other = await patch(json.id, { authentication: { ...BASIC, password: 'another' } })
    expect(other.json.version).toBe(2)
  })

  test('has a header of its own', async () => {
    const both = await create({ headers: { Authorization: 'x' }, authentication: BASIC })
    expect([both.status, pointers(both)]).toEqual([400, ['/authentication']])
    const { json } = await create({ authentication: BASIC })
    const later = await patch(json.id, { headers: { authorization: 'x' } })
    expect([later.status, pointers(later)]).toEqual([400, ['/authentication']])
  })
})

describe('S7 the TLS of a webhook', () => {
  const authority = createAuthority('Registry CA')
  const [one, other] = [authority.issue('one'), authority.issue('other')]
  const TLS = { ca: authority.ca, certificate: one.cert, key: one.key }
  /** A line of each key: nothing of them may be shown. */
  const SECRETS = [one, other].map(({ key }) => key.split('\n')[1]!)

  test('has a key that is shown nowhere and sealed on the topic; secrets open only beside it', async () => {
    const made = await create({ tls: { ...TLS, key: one.key.replaceAll('\n', '\r\n') } })
    const { id } = made.json
    expect(made.json.tls).toEqual({ ...TLS, key: '[redacted]' })
    const { tls, sealedSecrets } = await published(id, 1)
    expect(tls).toEqual({ ca: TLS.ca, certificate: TLS.certificate, sealedKey: expect.stringMatching(/^v\d\./) })
    expect(sealer.unseal(tls!.sealedKey!, `${id} tls key`)).toBe(one.key)
    expect(sealer.unseal(sealedSecrets[0]!, `${id} with tls`)).toBe(SECRET)
    expect(() => sealer.unseal(sealedSecrets[0]!, id)).toThrow()

    const without = await patch(id, { tls: { ca: null } })
    expect(without.json.tls).toEqual({ ca: null, certificate: one.cert, key: '[redacted]' })
    const renewed = await patch(id, { tls: { certificate: other.cert, key: other.key } })
    expect(sealer.unseal((await published(id, 3)).tls!.sealedKey!, `${id} tls key`)).toBe(other.key)
    const plain = await patch(id, { tls: null })
    expect(plain.json).toMatchObject({ tls: null, version: 4 })
    const last = await published(id, 4)
    expect(last).not.toHaveProperty('tls')
    expect(sealer.unseal(last.sealedSecrets[0]!, id)).toBe(SECRET)
    const audit = await registry.call('GET', '/v1/audit?limit=100')
    expect(audit.text).toContain(id)
    for (const secret of SECRETS) expect([made, without, renewed, audit].map(a => a.text).join()).not.toContain(secret)
  })

  test('set to what it is, it is no new version', async () => {
    const body = { ...GOOD, tls: TLS, denied_cidrs: ['10.0.0.0/8'] }
    const { json } = await registry.call('PUT', '/v1/webhooks/by-uid/with-tls', body)
    const again = await registry.call('PUT', '/v1/webhooks/by-uid/with-tls', body)
    const patched = await patch(json.id, { tls: { ca: TLS.ca, key: one.key }, denied_cidrs: ['10.0.0.0/8'] })
    expect([again.json.version, patched.json.version]).toEqual([1, 1])
  })

  test('is refused where its parts do not fit, at creation and at a change', async () => {
    const strange = await create({ tls: { ...TLS, key: other.key } })
    expect([strange.status, pointers(strange)]).toEqual([400, ['/tls/key']])
    const old = authority.issue('old', [], [], Date.now() - 1000)
    const expired = await create({ tls: { certificate: old.cert, key: old.key } })
    expect([expired.status, pointers(expired)]).toEqual([400, ['/tls/certificate']])
    const huge = await create({ tls: { ca: `${authority.ca}${'\n'.repeat(2 ** 20)}` } })
    expect([400, 413]).toContain(huge.status)
    const { json } = await create({ tls: TLS })
    for (const [tls, at] of [
      [{ key: null }, '/tls/key'],
      [{ certificate: null }, '/tls/certificate'],
      [{ certificate: other.cert }, '/tls/key'],
      [{ key: '[redacted]' }, '/tls/key'],
    ] as const) {
      const answer = await patch(json.id, { tls })
      expect([answer.status, pointers(answer)]).toEqual([400, [at]])
    }
    expect(strange.text).not.toContain(SECRETS[1])
  })
})

describe('S6 the signing of a webhook', () => {
  const HUB = { type: 'hub', header: 'x-hub-signature-256' }

  test('is shown as it is kept, carried by the topic, replaced as a whole and taken away', async () => {
    const made = await create({ signing: { type: 'hub' } })
    const { id } = made.json
    expect([made.status, made.json.signing]).toEqual([201, HUB])
    const { signing, sealedSecrets } = await published(id, 1)
    expect(signing).toEqual(HUB)
    expect(() => sealer.unseal(sealedSecrets[0]!, id)).toThrow()
    const same = await patch(id, { signing: HUB })
    expect(same.json.version).toBe(1)
    const other = await patch(id, { signing: { type: 'standard_sha512' } })
    expect(other.json).toMatchObject({ signing: { type: 'standard_sha512' }, version: 2 })
    const plain = { type: 'hex', header: 'x-signature' }
    expect((await patch(id, { signing: { type: 'hex' } })).json).toMatchObject({ signing: plain, version: 3 })
    expect((await published(id, 3)).signing).toEqual(plain)
    const none = await patch(id, { signing: null })
    expect(none.json).toMatchObject({ signing: null, version: 4 })
    const last = await published(id, 4)
    expect(last).not.toHaveProperty('signing')
    expect(sealer.unseal(last.sealedSecrets[0]!, secretContext(last))).toBe(SECRET)
  })

  const PAIR = { secret: undefined, signature: 'v1a' }
  test.each<[string, object, string]>([
    ['with a prefix of its own', { signing: { type: 'hex', prefix: 'v1=' } }, '/signing/prefix'],
    ['in a header of the webhook, plain', { signing: { type: 'hex', header: 'x-Token' } }, '/signing/header'],
    ['of no kind', { signing: {} }, '/signing/type'],
    ['of an unknown kind', { signing: { type: 'sha1' } }, '/signing/type'],
    ['that is no object', { signing: 'hub' }, '/signing'],
    ['with an unknown field', { signing: { ...HUB, prefix: '' } }, '/signing/prefix'],
    ['with a header that is not for it', { signing: { type: 'standard_sha512', header: 'x-a' } }, '/signing/header'],
    ['in a header that is none', { signing: { type: 'hub', header: 'x a' } }, '/signing/header'],
    ["in a header of the request's own", { signing: { type: 'hub', header: 'Content-Type' } }, '/signing/header'],
    ['in a header of the format', { signing: { type: 'hub', header: 'ce-id' } }, '/signing/header'],
    ['in a header of Standard Webhooks', { signing: { type: 'hub', header: 'Webhook-Id' } }, '/signing/header'],
    ['in a header of the webhook', { signing: { type: 'hub', header: 'x-Token' } }, '/signing/header'],
    [
      'in the header of its authentication',
      { signing: { type: 'hub', header: 'X-Key' }, authentication: { type: 'api_key', header: 'x-key', value: 'v' } },
      '/signing/header',
    ],
    ['beside a key pair', { ...PAIR, signing: { type: 'standard_sha512' } }, '/signing/type'],
  ])('is refused %s, at creation, at a change and as a whole', async (_what, body, pointer) => {
    const made = await create(body)
    expect([made.status, pointers(made)]).toEqual([400, [pointer]])
    const { signing, ...rest } = body as { signing: object }
    const { json } = await create({ ...rest, uid: undefined })
    const changed = await patch(json.id, { signing })
    expect([changed.status, pointers(changed)]).toEqual([400, [pointer]])
    const put = await registry.call('PUT', '/v1/webhooks/by-uid/never', { ...GOOD, ...body })
    expect([put.status, pointers(put)]).toEqual([400, [pointer]])
  })

  test('lets no key pair and no header of its name come to the webhook later', async () => {
    const { id } = (await create({ signing: { type: 'hub', header: 'X-Acme' } })).json
    const rotate = (body: object) => registry.call('POST', `/v1/webhooks/${id}/secrets/rotate`, body)
    const asked = await rotate({ signature: 'v1a' })
    expect([asked.status, pointers(asked)]).toEqual([400, ['/signature']])
    const given = await rotate({ secret: `whsk_${Buffer.alloc(32, 4).toString('base64')}` })
    expect([given.status, pointers(given)]).toEqual([400, ['/secret']])
    const named = await patch(id, { headers: { 'X-ACME': 'v' } })
    expect([named.status, pointers(named)]).toEqual([400, ['/signing/header']])
    expect((await rotate({})).status).toBe(201)
    expect((await registry.call('GET', `/v1/webhooks/${id}`)).json.version).toBe(2)
  })
})

test('S7 secrets of a webhook with denied_cidrs do not open without them', async () => {
  const { json } = await create({ denied_cidrs: ['10.0.0.0/8'] })
  expect(json.denied_cidrs).toEqual(['10.0.0.0/8'])
  const { deniedCidrs, sealedSecrets } = await published(json.id, 1)
  expect(deniedCidrs).toEqual(['10.0.0.0/8'])
  expect(() => sealer.unseal(sealedSecrets[0]!, json.id)).toThrow()
})

test("S7 a webhook's own header is none of the signature's", async () => {
  const prefixed = await TestRegistry.start({ POSTHORN_SIGNATURE_HEADER_PREFIX: 'x-acme' })
  try {
    const headers = { 'X-Acme-Id': 'forged', 'x-acme-tenant': 'a' }
    const made = await prefixed.call('POST', '/v1/webhooks', { ...GOOD, headers })
    expect([made.status, pointers(made)]).toEqual([400, ['/headers/X-Acme-Id']])
    const put = await prefixed.call('PUT', '/v1/webhooks/by-uid/a', { ...GOOD, headers })
    expect(put.status).toBe(400)
    const authentication = { type: 'api_key', header: 'X-Acme-Signature', value: 'v' }
    const { json } = await prefixed.call('POST', '/v1/webhooks', GOOD)
    const changed = await prefixed.call('PATCH', `/v1/webhooks/${json.id}`, { authentication })
    expect([changed.status, pointers(changed)]).toEqual([400, ['/authentication/header']])
    const signing = { type: 'hub', header: 'X-Acme-Signature' }
    const signed = await prefixed.call('PATCH', `/v1/webhooks/${json.id}`, { signing })
    expect([signed.status, pointers(signed)]).toEqual([400, ['/signing/header']])
  } finally {
    await prefixed.stop()
  }
}, 60_000)

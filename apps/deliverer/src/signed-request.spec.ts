import { describe, expect, it } from '@jest/globals'
import { HTTP } from 'cloudevents'
import { Webhook as Receiver } from 'standardwebhooks'
import {
  compileSigner,
  DEFAULT_RETRY_POLICY,
  FORMATS,
  secretFrom,
  type Delivery,
  type Format,
  type Webhook,
} from '@posthorn/webhook'
import { verify, verifyHex, verifyHub } from '@posthorn/verify'
import { signedRequest, type RequestTerms } from './signed-request.js'
import type { PreparedWebhook } from './webhook-cache.js'
import type { Work } from './work.js'

const SECRET = secretFrom(Buffer.alloc(32, 5))
const OLDER = secretFrom(Buffer.alloc(32, 4))
const DATA = '{"n": 1.0}'
const delivery: Delivery = {
  id: 'delivery_1',
  webhook: 'webhook_1',
  webhookVersion: 1,
  tenant: 'acme',
  run: '0',
  attempt: 1,
  due: 0,
  acceptedAt: 0,
  origin: { partition: 0, offset: 0 },
  spills: 0,
  event: {
    tenant: 'acme',
    id: 'e',
    source: '/s',
    type: 'agent.created',
    time: '2026-01-31T12:00:00Z',
    contenttype: 'application/json',
    extensions: { traceparent: 't', tracestate: 's' },
  },
}

function request(
  format: Format,
  own: Readonly<Record<string, string>> = {},
  terms: Partial<RequestTerms> = {},
  more: Pick<Webhook, 'sendTraceparent' | 'signing'> = {},
) {
  const webhook: Webhook = {
    id: 'webhook_1',
    tenant: 'acme',
    version: 1,
    status: 'active',
    url: 'https://example.com/hook',
    method: 'PUT',
    events: ['*'],
    format,
    sealedSecrets: [],
    retryPolicy: DEFAULT_RETRY_POLICY,
    allowedCidrs: ['203.0.113.0/24'],
    minTlsVersion: '1.3',
    ...more,
  }
  const prepared: PreparedWebhook = {
    webhook,
    signer: compileSigner([SECRET, OLDER], more.signing),
    headers: own,
    publicUrl: webhook.url,
    terms: { apiUrl: '', headerPrefix: 'webhook', ...terms },
  }
  return signedRequest({ delivery, data: Buffer.from(DATA) } as Work, prepared, Date.now())
}

describe('S6 a signed request', () => {
  it.each(FORMATS)('is taken by a library of Standard Webhooks in the format %s', async format => {
    const { headers, body, ...rest } = await request(format)
    expect(new Receiver(SECRET).verify(body.toString(), headers as Record<string, string>)).toBeInstanceOf(Object)
    expect(rest).toEqual({
      url: 'https://example.com/hook',
      method: 'PUT',
      timeoutMs: DEFAULT_RETRY_POLICY.timeoutMs,
      allowedCidrs: ['203.0.113.0/24'],
      minTlsVersion: '1.3',
    })
  })

  it('has the prefix of the deployment in its headers', async () => {
    const names = Object.keys((await request('raw', {}, { headerPrefix: 'svix' })).headers)
    expect(names).toEqual(['content-type', 'svix-id', 'svix-timestamp', 'svix-signature'])
  })

  it('S6 is signed by HMAC-SHA512 with each secret, where the webhook says so', async () => {
    const { headers, body } = await request('enveloped', {}, {}, { signing: { type: 'standard_sha512' } })
    const entries = headers['webhook-signature']!.split(' ')
    expect(entries.map(entry => entry.slice(0, 6))).toEqual(['hs512,', 'hs512,'])
    for (const secrets of [SECRET, OLDER]) expect(verify({ body, headers, secrets }).id).toBe('delivery_1')
    expect(JSON.parse(body.toString()).signature).toMatchObject({ algorithm: 'HMAC-SHA512' })
  })

  it('S6 has one signature over the body in the header of the webhook, by the oldest secret', async () => {
    const own = { 'x-acme': 'forged', 'x-own': '1' }
    const { headers, body } = await request('raw', own, {}, { signing: { type: 'hub', header: 'x-acme' } })
    expect(Object.keys(headers).sort()).toEqual(['content-type', 'webhook-id', 'webhook-timestamp', 'x-acme', 'x-own'])
    expect(verifyHub({ body, headers, header: 'X-Acme', secrets: OLDER })).toMatchObject({ id: 'delivery_1' })
    expect(() => verifyHub({ body, headers, header: 'X-Acme', secrets: SECRET })).toThrow('does not fit')
    const plain = await request('raw', own, {}, { signing: { type: 'hex', header: 'x-acme' } })
    expect(plain.headers).toEqual({ ...headers, 'x-acme': headers['x-acme']!.replace('sha256=', '') })
    expect(verifyHex({ ...plain, header: 'X-Acme', secrets: OLDER })).toMatchObject({ id: 'delivery_1' })
  })

  it('S7 names the origin that receivers have agreed to, where they are asked', async () => {
    const own = { 'webhook-request-origin': 'forged' }
    const { headers } = await request('raw', own, { origin: 'hooks.example.com' })
    expect(headers).toMatchObject({ 'webhook-request-origin': 'hooks.example.com' })
  })

  it("lets no header of the customer's own stand for one of Posthorn's", async () => {
    const own = { 'x-own': '1', 'webhook-id': 'forged', 'ce-type': 'forged', 'content-type': 'text/plain' }
    const { headers, body } = await request('cloudevents_binary', own)
    expect(headers).toMatchObject({ 'x-own': '1', 'webhook-id': 'delivery_1' })
    expect(HTTP.toEvent({ headers: { ...headers }, body: body.toString() })).toMatchObject({
      type: 'agent.created',
      datacontenttype: 'application/json',
    })
  })

  it('tells of the trace of an event only who asked for it', async () => {
    const traced = { headers: { 'ce-traceparent': 't', 'ce-tracestate': 's' }, body: '"traceparent":"t"' }
    const asked = await request('cloudevents_binary', {}, {}, { sendTraceparent: true })
    expect(asked.headers).toMatchObject(traced.headers)
    expect((await request('cloudevents', {}, {}, { sendTraceparent: true })).body.toString()).toContain(traced.body)
    for (const format of FORMATS) {
      const { headers, body } = await request(format)
      expect(Object.keys(headers).filter(name => name.includes('trace'))).toEqual([])
      expect(body.toString()).not.toContain('trace')
    }
  })

  it('S12 links to the event where the API is', async () => {
    const { body } = await request('thin', {}, { apiUrl: 'https://hooks.example.com' })
    expect(JSON.parse(body.toString()).link).toBe('https://hooks.example.com/v1/events/e?source=%2Fs')
  })
})

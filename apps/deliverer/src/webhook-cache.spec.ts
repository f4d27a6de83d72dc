import { randomBytes } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { Sealer } from '@posthorn/sealing'
import { createAuthority } from '@posthorn/testkit'
import {
  authenticationContext,
  compileSecret,
  DEFAULT_RETRY_POLICY,
  headerContext,
  secretContext,
  tlsKeyContext,
  signStandard,
  type Webhook,
} from '@posthorn/webhook'
import { WebhookCache } from './webhook-cache.js'

const sealer = new Sealer([`k:${randomBytes(32).toString('base64')}`])
const [OLD, NEW] = ['the old secret of 24 chars', 'the new secret of 24 chars']
const webhook: Webhook = {
  id: 'webhook_a',
  tenant: 'default',
  version: 1,
  status: 'active',
  url: 'https://example.com/hook',
  method: 'PUT',
  events: ['*'],
  format: 'standard',
  sealedSecrets: [NEW, OLD].map(secret => sealer.seal(secret, 'webhook_a')),
  sealedHeaders: { 'x-key': sealer.seal('value', headerContext('webhook_a', 'x-key')) },
  retryPolicy: DEFAULT_RETRY_POLICY,
}

function open(of: Webhook) {
  const alerts: string[] = []
  const terms = { apiUrl: '', headerPrefix: 'webhook' }
  const opened = new WebhookCache(sealer, (_webhook, error) => alerts.push(error.message), terms).open(of, 0)
  return { opened, alerts }
}

test('S3 opens the headers of a webhook', () => {
  const { opened } = open(webhook)
  expect(opened).toMatchObject({ kind: 'prepared', prepared: { headers: { 'x-key': 'value' } } })
})

test('S6 every active secret signs, the newest first', () => {
  const { opened } = open(webhook)
  if (opened.kind !== 'prepared') throw new Error('the secrets do not open')
  const body = Buffer.from('{}')
  const by = (secret: string) => signStandard([compileSecret(secret)], 'id', 1, body)
  expect(signStandard(opened.prepared.signer.keys, 'id', 1, body)).toBe(`${by(NEW)} ${by(OLD)}`)
})

test('a sealed header that was copied from another name or webhook does not open', () => {
  const { opened, alerts } = open({ ...webhook, sealedHeaders: { 'x-other': webhook.sealedHeaders!['x-key']! } })
  expect(opened).toEqual({ kind: 'sealed' })
  expect(alerts).toHaveLength(1)
})

test('S7 an authentication is a header, and a document that has lost it does not open', () => {
  const authentication = {
    header: 'authorization',
    sealed: sealer.seal('Bearer t', authenticationContext('webhook_a', 'authorization')),
  }
  const context = secretContext({ id: 'webhook_a', authentication })
  const sealedSecrets = [sealer.seal(NEW, context)]
  const { opened } = open({ ...webhook, sealedSecrets, authentication })
  expect(opened).toMatchObject({ prepared: { headers: { 'x-key': 'value', authorization: 'Bearer t' } } })
  expect(open({ ...webhook, sealedSecrets }).opened).toEqual({ kind: 'sealed' })
  const moved = { ...authentication, header: 'x-key' }
  expect(open({ ...webhook, sealedSecrets, authentication: moved }).opened).toEqual({ kind: 'sealed' })
})

test('S7 a client certificate is ready with its key, and a document that has lost it, or has another, does not open', () => {
  const authority = createAuthority('CA')
  const [client, other] = [authority.issue('a'), authority.issue('b')]
  const tls = { certificate: client.cert, sealedKey: sealer.seal(client.key, tlsKeyContext('webhook_a')) }
  const sealedSecrets = [sealer.seal(NEW, secretContext({ id: 'webhook_a', tls }))]
  const whole = { ...webhook, sealedSecrets, tls }
  const nameOf = (of: Webhook) => (open(of).opened as { prepared: { tls: { name: string } } }).prepared.tls.name
  expect(nameOf(whole)).toBe(nameOf({ ...whole, version: 2 }))
  expect(nameOf(whole)).not.toBe(nameOf({ ...whole, tls: { ...tls, ca: authority.ca } }))
  expect(open({ ...webhook, sealedSecrets }).opened).toEqual({ kind: 'sealed' })
  expect(open({ ...whole, tls: { ...tls, certificate: other.cert } }).opened).toEqual({ kind: 'sealed' })
})

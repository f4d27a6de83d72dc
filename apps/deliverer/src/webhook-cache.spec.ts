import { randomBytes } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { Sealer } from '@posthorn/sealing'
import { DEFAULT_RETRY_POLICY, headerContext, signStandard, compileSecret, type Webhook } from '@posthorn/webhook'
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
  expect(signStandard(opened.prepared.keys, 'id', 1, body)).toBe(`${by(NEW)} ${by(OLD)}`)
})

test('a sealed header that was copied from another name or webhook does not open', () => {
  const { opened, alerts } = open({ ...webhook, sealedHeaders: { 'x-other': webhook.sealedHeaders!['x-key']! } })
  expect(opened).toEqual({ kind: 'sealed' })
  expect(alerts).toHaveLength(1)
})

import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Egress, type EgressOptions } from '@posthorn/egress'
import { Sealer } from '@posthorn/sealing'
import { startReceiver } from '@posthorn/testkit'
import { PROBE_WEBHOOK, secretContext, type Webhook } from '@posthorn/webhook'
import { Probes } from './probes.js'

const STEPS = { dns: 1000, connect: 1000, tls: 1000, firstByte: 1000 }
const OPTIONS: EgressOptions = {
  ...{ allow: [], deny: ['127.0.0.0/8'], ports: ['443'], minTlsVersion: '1.2', sockets: 4, steps: STEPS },
  proxy: { url: 'http://127.0.0.1:9', except: [] },
  ...{ userAgent: 'test', keptBytes: 1024, headerBytes: 16_384 },
}
const sealer = new Sealer([`test:${randomBytes(32).toString('base64')}`])
const nobody = {
  get: () => undefined,
  waitFor: async () => false,
  whole: Promise.resolve(),
  readToEnd: async () => undefined,
  values: () => [],
}
let probes: Probes
let door: Egress
let webhook: Webhook

beforeEach(async () => {
  probes = await Probes.start(sealer, OPTIONS)
  door = Egress.from(OPTIONS)
  webhook = probes.among(nobody).get(PROBE_WEBHOOK)!
})
afterEach(() => Promise.all([probes.close(), door.close()]))

const send = (url: string, body = JSON.stringify({ data: { sent_at: new Date().toISOString() } })) =>
  probes.beside(door).send({ url, method: 'POST', headers: {}, body: Buffer.from(body), timeoutMs: 5000 })

describe('Probes', () => {
  it('reach their receiver although the deployment refuses its address and port', async () => {
    expect(await send(webhook.url)).toMatchObject({ kind: 'response', status: 204 })
    expect(sealer.unseal(webhook.sealedSecrets[0]!, secretContext(webhook))).toMatch(/^whsec_/)
  })

  it('open the door for their own URL alone', async () => {
    const other = await startReceiver()
    for (const url of [other.url, webhook.url.split('?')[0]!, `${webhook.url}x`])
      expect(await send(url)).toMatchObject({ kind: 'failed' })
    expect(other.requests).toEqual([])
    await other.close()
  })

  it('are refused when they do not say when they were sent, or from ahead of time', async () => {
    for (const body of ['', '{}', '{"data":{"sent_at":"x"}}', `{"data":{"sent_at":"2100-01-01T00:00:00Z"}}`])
      expect(await send(webhook.url, body)).toMatchObject({ status: 400 })
  })

  it('have the webhook that no document can change, and leave the others alone', async () => {
    const table = probes.among({ ...nobody, get: id => ({ ...webhook, id, url: 'https://example.com' }) })
    expect(table.get(PROBE_WEBHOOK)).toBe(webhook)
    expect(table.get('webhook_other')).toMatchObject({ url: 'https://example.com' })
  })
})

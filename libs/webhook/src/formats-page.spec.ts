import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import type { WebhookEvent } from './event.js'
import { FORMATS, formatEvent, type Format } from './format.js'
import { compileSecret, secretFrom } from './signature.js'

const page = readFileSync(new URL('../../../docs/formats.md', import.meta.url), 'utf8')

/** The event that all examples of the page are made of. */
const EVENT: WebhookEvent = {
  tenant: 'acme',
  id: 'order-4711-paid',
  source: '/shop',
  type: 'order.paid',
  time: '2026-01-31T12:00:00Z',
  contenttype: 'application/json',
  subject: 'order 4711',
  partitionkey: 'customer-9',
}
const DATA = Buffer.from('{"total": 19.90}')
const SECRET = secretFrom(Buffer.from('a secret of the page, 32 bytes!!'))

function example(format: Format): string {
  const delivery = {
    id: 'delivery_01kg9k3m8q5v6w7x8y9z0a1b2c',
    webhook: 'webhook_01kg9jz4n5p6q7r8s9t0v1w2x3',
    tenant: 'acme',
    run: '0',
    attempt: 1,
    event: EVENT,
  }
  const keys = [compileSecret(SECRET)]
  const { headers, body } = formatEvent(format, { delivery, data: DATA, keys, apiUrl: 'https://hooks.example.com' })
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return `${lines.join('\n')}\n\n${body.toString()}\n`
}

describe('docs/formats.md', () => {
  it.each(FORMATS)('shows %s as it is sent', format => {
    const section = page.split(/^## /m).find(one => one.startsWith(`\`${format}\``))
    expect(/```http\n([^]*?)```/.exec(section ?? '')?.[1]).toBe(example(format))
  })

  it('names the secret that its signature is made with', () => {
    expect(page).toContain(SECRET)
  })
})

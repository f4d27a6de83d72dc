import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { ApiSchemas } from '@posthorn/api/client'
import { createAuthority } from '@posthorn/testkit'
import { burst } from './drive.js'
import type { Payload } from './load.js'
import { measure, platformCpu, type Measured } from './measure.js'
import { register, type Platform } from './platform.js'
import { perSecond, printTable, round, type Row } from './table.js'

type Settings = Partial<Pick<ApiSchemas['CreateWebhookBody'], 'signature' | 'signing' | 'encryption' | 'tls'>>

interface Way {
  readonly name: string
  readonly settings: Settings
  readonly base?: string
}

/** The one that the others are compared with, first and again last: so it is seen how even the machine was. */
const PLAIN: Way = { name: 'v1: HMAC-SHA256', settings: {} }
/** Brings each way's code and connections to work before it is measured. */
const WARM = 1000

/** What each way to sign, to encrypt and to connect costs, one after another on one platform, `events` to a webhook of each. */
export async function compareTrust(platform: Platform, payload: Payload, events: number): Promise<void> {
  const ways = [PLAIN, ...(await others(platform)), { ...PLAIN, name: `${PLAIN.name}, again` }]
  const typeOf = (n: number) => `bench.trust-${n}`
  await register(platform, ways.length, n => {
    const { settings, base } = ways[n]!
    return { path: `/trust-${n}`, events: [typeOf(n)], ...settings, ...(base === undefined ? {} : { base }) }
  })
  const measured: Measured[] = []
  for (const n of ways.keys()) {
    const load = { payload, wayOf: () => ({ type: typeOf(n) }) }
    await burst(platform, Math.min(WARM, events), load)
    measured.push(await measure(platform, events, () => burst(platform, events, load)))
  }
  console.log(`\nsigning, encryption and https: ${events.toLocaleString('en-US')} events to a webhook of each\n`)
  report(ways, measured)
  const connections = await platform.receiver.securedConnections()
  console.log(`https: ${connections} connections for ${events + Math.min(WARM, events)} requests\n`)
}

async function others({ receiver }: Platform): Promise<Way[]> {
  const authority = createAuthority('Bench CA')
  const base = await receiver.secure(authority.issue('receiver', [], ['127.0.0.1']))
  const encryptedTo = (publicKey: KeyObject): Settings => ({
    encryption: { key: publicKey.export({ format: 'jwk' }) as Record<string, unknown> },
  })
  return [
    { name: 'v1a: Ed25519', settings: { signature: 'v1a' } },
    { name: 'hs512: HMAC-SHA512', settings: { signing: { type: 'standard_sha512' } } },
    { name: 'X-Hub-Signature-256', settings: { signing: { type: 'hub' } } },
    {
      name: 'JWE, ECDH-ES+A256KW, P-256',
      settings: encryptedTo(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey),
    },
    { name: 'JWE, ECDH-ES+A256KW, X25519', settings: encryptedTo(generateKeyPairSync('x25519').publicKey) },
    {
      name: 'JWE, RSA-OAEP-256, 2048 bits',
      settings: encryptedTo(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey),
    },
    { name: 'https, connections kept', settings: { tls: { ca: authority.ca } }, base },
  ]
}

function report(ways: readonly Way[], measured: readonly Measured[]): void {
  const deliverer = (one: Measured) => one.cpu.deliverer ?? Number.NaN
  const [plain] = measured as readonly [Measured, ...Measured[]]
  const rowOf = (one: Measured, n: number): Row => [
    ways[n]!.name,
    perSecond(one.rate),
    round(one.rate / plain.rate, 2),
    `${round(deliverer(one))} µs`,
    `${signed(deliverer(one) - deliverer(plain))} µs`,
    `${round(platformCpu(one))} µs`,
  ]
  const head = ['deliveries', 'of v1', 'CPU per delivery, deliverer', 'beside v1', 'platform'] as const
  printTable(['', ...head], measured.map(rowOf))
}

const signed = (value: number) => (value < 0 ? '' : '+') + round(value)

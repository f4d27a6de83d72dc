import type { LookupAddress } from 'node:dns'
import { createServer as createHttp } from 'node:http'
import { createServer, isIP, type AddressInfo, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { freePorts } from '@posthorn/embedded/ports'
import { Egress, type EgressOptions, type EgressRequest } from './egress.js'

/** Loopback, private, CGNAT, link-local with metadata, multicast, reserved. */
const TARGETS = [
  [127, 0, 0, 1],
  [127, 255, 255, 254],
  [0, 0, 0, 0],
  [10, 0, 0, 1],
  [10, 255, 255, 255],
  [100, 64, 0, 1],
  [100, 100, 100, 200], // metadata: Alibaba
  [168, 63, 129, 16], // Azure
  [169, 254, 169, 254], // AWS, GCP, Azure, …
  [169, 254, 170, 2], // ECS
  [172, 16, 0, 1],
  [172, 31, 255, 255],
  [192, 0, 0, 192], // Oracle
  [192, 168, 0, 1],
  [198, 18, 0, 1],
  [224, 0, 0, 1],
  [255, 255, 255, 255],
] as const

const hex = (value: number) => value.toString(16)
const words = ([a, b, c, d]: readonly number[]) => `${hex((a! << 8) | b!)}:${hex((c! << 8) | d!)}`

/** Every way known to write an IPv4 address that a URL takes. */
function notations(bytes: readonly [number, number, number, number]): string[] {
  const [a, b, c, d] = bytes
  const text = bytes.join('.')
  const whole = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
  const turned = words(bytes.map(one => one ^ 0xff))
  return [
    text,
    `${text}.`,
    String(whole),
    `0x${hex(whole)}`,
    `0${whole.toString(8)}`,
    bytes.map(one => `0x${hex(one)}`).join('.'),
    bytes.map(one => `0${one.toString(8)}`).join('.'),
    `${a}.${(b << 16) | (c << 8) | d}`,
    `${a}.${b}.${(c << 8) | d}`,
    [...text].map(one => (one === '.' ? '。' : String.fromCodePoint(one.codePointAt(0)! + 0xfee0))).join(''),
    [...text].map(one => `%${hex(one.codePointAt(0)!)}`).join(''),
    `[::ffff:${text}]`,
    `[::ffff:${words(bytes)}]`,
    `[0:0:0:0:0:FFFF:${words(bytes)}]`,
    `[::ffff:0:${text}]`,
    `[::${text}]`,
    `[64:ff9b::${text}]`,
    `[64:ff9b:1::${text}]`,
    `[2002:${words(bytes)}::1]`,
    `[2001:0:${words(bytes)}::1]`,
    `[2001:0:808:808::${turned}]`,
    `[fe80::5efe:${words(bytes)}]`,
  ]
}

const LITERALS = [
  ...TARGETS.flatMap(bytes => notations([...bytes])),
  '0',
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000::0001]',
  '[fe80::1]',
  '[fec0::1]',
  '[fc00::1]',
  '[fd00:ec2::254]', // metadata: AWS
  '[fd20:ce::254]', // GCP
  '[ff02::1]',
  '[100::1]',
  '[2001:db8::1]',
  '[3fff::1]',
  '[5f00::1]',
]

/** Names, and what each resolves to at each look-up in turn. */
const NAMES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'loopback.example': [['127.0.0.1']],
  'loopback6.example': [['::1']],
  'mapped.example': [['::ffff:127.0.0.1']],
  'zoned.example': [['fe80::1%lo']],
  'nothing.example': [[]],
  'text.example': [['not an address']],
  'both.example': [['1.1.1.1', '127.0.0.1']],
  'both-turned.example': [['127.0.0.1', '1.1.1.1']],
  'both6.example': [['2606:4700:4700::1111', '::1']],
  'metadata.example': [['169.254.169.254']],
  'private.example': [['10.0.0.7']],
  'cgnat.example': [['100.64.1.1']],
  'nat64.example': [['64:ff9b::7f00:1']],
  '127.0.0.1.nip.example': [['127.0.0.1']],
  'xn--lcalhost-54a.example': [['127.0.0.1']],
  localhost: [['127.0.0.1', '::1']],
  'localhost.': [['127.0.0.1']],
  LOCALHOST: [['127.0.0.1']],
  'a.localhost': [['127.0.0.1']],
  'metadata.google.internal': [['169.254.169.254']],
}

const listeners: Server[] = []
let connections: string[] = []

async function listen(server: Server, host: string, port = 0): Promise<number> {
  server.on('connection', socket => {
    connections.push(`${socket.localAddress} ${socket.localPort}`)
    socket.on('error', () => {})
  })
  listeners.push(server)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  return (server.address() as AddressInfo).port
}

const doors: Egress[] = []
function door(options: Partial<EgressOptions> = {}): Egress {
  const all = { allow: [], deny: [], ports: ['80', '443', '1024-65535'], minTlsVersion: '1.2', sockets: 16 } as const
  const steps = { dns: 60_000, connect: 60_000, tls: 60_000, firstByte: 60_000 }
  const made = Egress.from({ ...all, userAgent: 'test', keptBytes: 16_384, headerBytes: 16_384, steps, ...options })
  doors.push(made)
  return made
}
const asked = (url: string, more: Partial<EgressRequest> = {}): EgressRequest => ({
  url,
  method: 'POST',
  headers: {},
  body: Buffer.from('{}'),
  timeoutMs: 60_000,
  ...more,
})
const addresses = (texts: readonly string[]): LookupAddress[] =>
  texts.map(address => ({ address, family: isIP(address) === 6 ? 6 : 4 }))

/** A resolver that answers each look-up of a name with the next of its lists, the last one for ever. */
function resolver(names: Readonly<Record<string, readonly (readonly string[])[]>>) {
  const turns = new Map<string, number>()
  const lower = new Map(Object.entries(names).map(([name, lists]) => [name.toLowerCase(), lists]))
  const resolve = async (host: string) => {
    const lists = lower.get(host) ?? [[]]
    const turn = turns.get(host) ?? 0
    turns.set(host, turn + 1)
    return addresses(lists[Math.min(turn, lists.length - 1)]!)
  }
  return { resolve, turns }
}

let port: number
beforeAll(async () => {
  // Dual-stack, so that a mapped or compatible form would arrive too.
  port = await listen(
    createServer(socket => socket.destroy()),
    '::',
  )
})
afterAll(async () => {
  await Promise.all(doors.map(one => one.close()))
  await Promise.all(listeners.map(one => new Promise(resolve => one.close(resolve))))
})

describe('S7 nothing that is not public is reached', () => {
  const egress = door({ resolve: resolver(NAMES).resolve })
  const hosts = [...LITERALS, ...Object.keys(NAMES)]
  const forms = hosts.flatMap(host => [`http://${host}`, `https://${host}`])

  it('has a corpus of more than 200 distinct hosts', () => {
    expect(new Set(hosts).size).toBeGreaterThan(200)
  })

  it.each(forms)('%s', async origin => {
    connections = []
    const result = await egress.send(asked(`${origin}:${port}/hook`))
    expect(result).toMatchObject({ kind: 'failed', cause: expect.stringMatching(/^address_/) })
    expect(connections).toEqual([])
  })

  it.each(['http', 'https'])('with user info, a fragment or a back slash that hides the host: %s', async scheme => {
    connections = []
    for (const text of [
      `${scheme}://example.com@127.0.0.1:${port}/`,
      `${scheme}://example.com:80@127.0.0.1:${port}/`,
      `${scheme}://127.0.0.1:${port}#@example.com/`,
      `${scheme}://127.0.0.1:${port}\\@example.com/`,
      `${scheme}:\\\\127.0.0.1:${port}\\`,
      `${scheme}:127.0.0.1:${port}/`,
      `${scheme}://127.0.0.1\t:${port}/`,
      `${scheme}://1.1.1.1 &@127.0.0.1:${port}/`,
    ])
      expect(await egress.send(asked(text))).toMatchObject({ kind: 'failed', cause: 'address_refused' })
    expect(connections).toEqual([])
  })

  it.each(['http', 'https'])('by a port that nothing is sent to, though the address is: %s', async scheme => {
    const open = door({ allow: ['127.0.0.0/8'] })
    for (const odd of [0, 1, 7, 22, 23, 25, 53, 81, 110, 143, 445, 465, 587, 993, 1023])
      expect(await open.send(asked(`${scheme}://127.0.0.1:${odd}/`))).toMatchObject({ cause: 'port_refused' })
    const narrow = door({ allow: ['127.0.0.0/8'], ports: ['443'] })
    expect(await narrow.send(asked(`${scheme}://127.0.0.1:${port}/`))).toMatchObject({ cause: 'port_refused' })
    expect(connections).toEqual([])
  })
})

describe('S7 what is connected to is what was checked', () => {
  const hits: string[] = []
  const server = () =>
    createHttp((request, response) => {
      hits.push(`${request.socket.localAddress}${request.url}`)
      response.writeHead(request.url === '/redirect' ? 307 : 200, { location: `http://127.0.0.1:${good}/secret` }).end()
    })
  let good: number
  beforeAll(async () => {
    // Of both addresses: a port that is free at one may be taken at the other.
    ;[good] = (await freePorts(1)) as [number]
    for (const host of ['127.0.0.1', '127.0.0.2']) await listen(server(), host, good)
  })

  it('with a name that changes to a bad address between look-ups', async () => {
    const { resolve, turns } = resolver({ 'rebind.example': [['127.0.0.2'], ['127.0.0.1']] })
    const egress = door({ allow: ['127.0.0.2/32'], resolve })
    const url = `http://rebind.example:${good}/`
    expect(await egress.send(asked(url))).toMatchObject({ status: 200, remoteAddress: '127.0.0.2' })
    // On the connection that was checked.
    expect(await egress.send(asked(url))).toMatchObject({ status: 200, remoteAddress: '127.0.0.2' })
    expect(turns.get('rebind.example')).toBe(1)
    // A list of its own is a connection of its own.
    const listed = { allowedCidrs: ['127.0.0.0/8'] }
    expect(await egress.send(asked(url, listed))).toMatchObject({ kind: 'failed', cause: 'address_refused' })
    expect(new Set(hits)).toEqual(new Set(['127.0.0.2/']))
  })

  it('and an answer that redirects to a bad address is not followed', async () => {
    hits.length = 0
    const egress = door({ allow: ['127.0.0.2/32'] })
    expect(await egress.send(asked(`http://127.0.0.2:${good}/redirect`))).toMatchObject({ status: 307 })
    expect(hits).toEqual(['127.0.0.2/redirect'])
  })

  it('for each webhook by its own list, also on connections that are kept', async () => {
    const egress = door({ allow: ['127.0.0.0/8'] })
    const url = `http://127.0.0.2:${good}/`
    expect(await egress.send(asked(url))).toMatchObject({ status: 200 })
    expect(await egress.send(asked(url, { allowedCidrs: ['127.0.0.1/32'] }))).toMatchObject({
      cause: 'address_unlisted',
    })
    expect(await egress.send(asked(url, { allowedCidrs: ['127.0.0.2/32'] }))).toMatchObject({ status: 200 })
    expect(await egress.send(asked(url, { deniedCidrs: ['127.0.0.2/32'] }))).toMatchObject({
      cause: 'address_unlisted',
    })
    expect(await egress.send(asked(url, { deniedCidrs: ['127.0.0.1/32'] }))).toMatchObject({ status: 200 })
  })

  it('for thousands of lists, with one request after the other', async () => {
    const egress = door({ allow: ['127.0.0.0/8'] })
    const url = `http://127.0.0.2:${good}/`
    for (let n = 0; n < 1_200; n++) {
      const allowedCidrs = ['127.0.0.2/32', `10.${n >> 8}.${n & 255}.0/24`]
      expect(await egress.send(asked(url, { allowedCidrs }))).toMatchObject({ status: 200 })
    }
  })
})

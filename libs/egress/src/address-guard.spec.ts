import { createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { AddressGuard } from './address-guard.js'
import { Egress } from './egress.js'

/** Every way found to write an address of this machine or of a private network. */
const HOSTILE = [
  '127.0.0.1',
  '127.1',
  '127.0.0.1.',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '127.255.255.254',
  '①②⑦.⓪.⓪.①',
  '%31%32%37.0.0.1',
  '0',
  '0.0.0.0',
  '0.1.2.3',
  'localhost',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::ffff:0:127.0.0.1]',
  '[::127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::1]',
  '[2002:7f00:1::]',
  '[2001:0:7f00:1::1]',
  '[fe80::1]',
  '[fec0::1]',
  '[fd00:ec2::254]',
  '[ff02::1]',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  '224.0.0.1',
  '255.255.255.255',
]

describe('S7 addresses that are not public', () => {
  let listener: Server
  let port: number
  let connections = 0
  const egress = Egress.from({ allow: [], sockets: 16, userAgent: 'test' })

  beforeAll(async () => {
    // Dual-stack, so that a mapped or compatible form would arrive too.
    listener = createServer(socket => {
      connections++
      socket.destroy()
    })
    await new Promise<void>(resolve => listener.listen(0, '::', resolve))
    port = (listener.address() as AddressInfo).port
  })
  afterAll(async () => {
    await egress.close()
    await new Promise(resolve => listener.close(resolve))
  })

  const cases = HOSTILE.flatMap(host => [`http://${host}`, `https://${host}`])
  it.each(cases)('%s is refused before a packet leaves', async origin => {
    const result = await egress.send({
      url: `${origin}:${port}/hook`,
      method: 'POST',
      headers: {},
      body: Buffer.from('{}'),
      timeoutMs: 2_000,
    })
    expect(result).toMatchObject({ kind: 'failed', cause: 'address_refused' })
    expect(connections).toBe(0)
  })
})

describe('AddressGuard', () => {
  it('permits the public internet', () => {
    const guard = new AddressGuard([])
    for (const address of ['1.1.1.1', '8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450::1'])
      expect({ address, permitted: guard.permits(address) }).toEqual({ address, permitted: true })
  })

  it('permits a refused range where it is allowed, and nothing beside it', () => {
    const guard = new AddressGuard(['10.1.0.0/16', 'fd00::/8'])
    expect(guard.permits('10.1.2.3')).toBe(true)
    expect(guard.permits('10.2.0.1')).toBe(false)
    expect(guard.permits('fd12::1')).toBe(true)
    expect(guard.permits('::1')).toBe(false)
  })

  it('permits nothing that is no address', () => {
    expect(new AddressGuard([]).permits('example.com')).toBe(false)
  })

  it('refuses a host with one bad address among good ones', async () => {
    const addresses = [
      { address: '1.1.1.1', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ]
    const guard = new AddressGuard([], async () => addresses)
    const ask = () => new Promise(answer => guard.lookup('both.example', { all: true }, (...result) => answer(result)))
    expect(await ask()).toEqual([expect.objectContaining({ code: 'POSTHORN_ADDRESS_REFUSED' }), []])
    addresses.pop()
    expect(await ask()).toEqual([null, [{ address: '1.1.1.1', family: 4 }]])
  })

  it('asks once for a host that many wait for, and again afterwards', async () => {
    let asked = 0
    const guard = new AddressGuard([], async () => {
      asked++
      return [{ address: '1.1.1.1', family: 4 }]
    })
    const ask = () => new Promise(answer => guard.lookup('slow.example', {}, (_error, address) => answer(address)))
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['1.1.1.1', '1.1.1.1', '1.1.1.1'])
    expect(asked).toBe(1)
    await ask()
    expect(asked).toBe(2)
  })

  it('refuses a range that cannot be read', () => {
    expect(() => new AddressGuard(['10.0.0.0'])).toThrow('10.0.0.0')
    expect(() => new AddressGuard(['10.0.0.0/33'])).toThrow('10.0.0.0/33')
  })
})

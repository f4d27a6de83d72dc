import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { AddressGuard, type ListedRanges, type Resolve } from './address-guard.js'
import { embeddedIpv4 } from './embedded-ipv4.js'
import { AddressRanges, PortRanges } from './ranges.js'

const guardOf = (allow: readonly string[] = [], deny: readonly string[] = [], resolve?: Resolve) =>
  new AddressGuard({ allow, deny }, resolve)
const permits = (guard: AddressGuard, addresses: readonly string[]) =>
  Object.fromEntries(addresses.map(address => [address, guard.permits(address)]))
const asks = (guard: AddressGuard, host: string, listed: ListedRanges = {}) =>
  new Promise(answer => guard.lookupAmong(listed)(host, { all: true }, (...result) => answer(result)))
const v4 = (address: string) => ({ address, family: 4 })

describe('AddressGuard', () => {
  it('permits the public internet', () => {
    const guard = guardOf()
    for (const address of ['1.1.1.1', '8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450::1'])
      expect({ address, permitted: guard.permits(address) }).toEqual({ address, permitted: true })
  })

  it('permits a refused range where it is allowed, and nothing beside it', () => {
    expect(permits(guardOf(['10.1.0.0/16', 'fd00::/8']), ['10.1.2.3', '10.2.0.1', 'fd12::1', '::1'])).toEqual({
      '10.1.2.3': true,
      '10.2.0.1': false,
      'fd12::1': true,
      '::1': false,
    })
  })

  it('permits nothing of a range that is denied, allowed or public', () => {
    const guard = guardOf(['10.0.0.0/8', '::/0'], ['10.1.0.0/16', '8.8.8.0/24', '2001:4860::/32'])
    expect(permits(guard, ['10.2.0.1', '10.1.0.1', '8.8.8.8', '8.8.4.4', '2001:4860::1', '::ffff:8.8.8.8'])).toEqual({
      '10.2.0.1': true,
      '10.1.0.1': false,
      '8.8.8.8': false,
      '8.8.4.4': true,
      '2001:4860::1': false,
      '::ffff:8.8.8.8': false,
    })
  })

  it('permits an address behind NAT64 only if the inner one is, whatever is allowed of the outer', () => {
    const guard = guardOf(['64:ff9b::/96', '2002::/16'])
    expect(permits(guard, ['64:ff9b::8.8.8.8', '64:ff9b::7f00:1', '64:ff9b::a9fe:a9fe', '2002:a00:1::1'])).toEqual({
      '64:ff9b::8.8.8.8': true,
      '64:ff9b::7f00:1': false,
      '64:ff9b::a9fe:a9fe': false,
      '2002:a00:1::1': false,
    })
  })

  it('permits nothing that is no address', () => {
    expect(permits(guardOf(), ['example.com', '', '1.1.1.1.1', '::g', '127.1'])).toEqual({
      'example.com': false,
      '': false,
      '1.1.1.1.1': false,
      '::g': false,
      '127.1': false,
    })
  })

  it('refuses a host with one bad address among good ones', async () => {
    const addresses = [v4('1.1.1.1'), v4('10.0.0.1')]
    const guard = guardOf([], [], async () => addresses)
    const refusal = { code: 'POSTHORN_ADDRESS_REFUSED', refusal: 'address_refused' }
    expect(await asks(guard, 'both.example')).toEqual([expect.objectContaining(refusal), []])
    addresses.pop()
    expect(await asks(guard, 'both.example')).toEqual([null, [v4('1.1.1.1')]])
  })

  it('leaves out addresses that the webhook does not list, and refuses a host without one', async () => {
    const guard = guardOf([], [], async () => [v4('1.1.1.1'), v4('8.8.8.8')])
    expect(await asks(guard, 'a.example', { allowed: new AddressRanges(['8.8.8.0/24']) })).toEqual([
      null,
      [v4('8.8.8.8')],
    ])
    const [error] = (await asks(guard, 'a.example', { allowed: new AddressRanges(['9.9.9.9/32']) })) as [Error]
    expect(error).toMatchObject({ refusal: 'address_unlisted', message: expect.stringContaining('allowed_cidrs') })
  })

  it('S7 refuses a host with one address that the webhook denies, also behind NAT64 and where it is allowed', async () => {
    const guard = guardOf(['64:ff9b::/96'], [], async () => [v4('1.1.1.1'), v4('8.8.8.8')])
    const listed = { allowed: new AddressRanges(['0.0.0.0/0']), denied: new AddressRanges(['8.8.8.0/24']) }
    const refusal = { refusal: 'address_unlisted', message: expect.stringContaining('denied_cidrs') }
    expect(await asks(guard, 'a.example', listed)).toMatchObject([refusal, []])
    for (const literal of ['8.8.8.8', '[64:ff9b::8.8.8.8]'])
      expect(guard.checkLiteral(literal, listed)).toMatchObject(refusal)
    expect(guard.checkLiteral('8.8.4.4', listed)).toBeUndefined()
  })

  it('lets no list of a webhook reach what the deployment refuses', async () => {
    const guard = guardOf([], [], async () => [v4('10.0.0.1')])
    const listed = { allowed: new AddressRanges(['0.0.0.0/0', '::/0']) }
    expect(guard.checkLiteral('127.0.0.1', listed)).toMatchObject({ refusal: 'address_refused' })
    expect(await asks(guard, 'a.example', listed)).toMatchObject([{ refusal: 'address_refused' }, []])
  })

  it('asks once for a host that many wait for, and again afterwards', async () => {
    let asked = 0
    const guard = guardOf([], [], async () => {
      asked++
      return [v4('1.1.1.1')]
    })
    const ask = () => new Promise(answer => guard.lookup('slow.example', {}, (_error, address) => answer(address)))
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['1.1.1.1', '1.1.1.1', '1.1.1.1'])
    expect(asked).toBe(1)
    await ask()
    expect(asked).toBe(2)
  })

  it('refuses ranges that cannot be read', () => {
    for (const range of ['10.0.0.0', '10.0.0.0/33', '::/129', '10.0.0.0/8/8', 'localhost/8', '/8'])
      for (const run of [() => guardOf([range]), () => guardOf([], [range])]) expect(run).toThrow(range)
    for (const ports of ['0', '65536', '90-80', 'http', '80-', ''])
      expect(() => new PortRanges([ports])).toThrow(`"${ports}"`)
  })
})

describe('IPv4 addresses within IPv6 ones', () => {
  const byte = fc.integer({ min: 0, max: 255 })
  const quad = fc.tuple(byte, byte, byte, byte)
  const hex = (bytes: readonly number[]) =>
    `${((bytes[0]! << 8) | bytes[1]!).toString(16)}:${((bytes[2]! << 8) | bytes[3]!).toString(16)}`

  it('are found in each form', () => {
    fc.assert(
      fc.property(quad, bytes => {
        const text = bytes.join('.')
        const turned = bytes.map(one => one ^ 0xff)
        for (const form of [`::ffff:${text}`, `::ffff:${hex(bytes)}`, `::ffff:0:${text}`, `64:ff9b::${text}`])
          expect(embeddedIpv4(form)).toContain(text)
        for (const form of [`2002:${hex(bytes)}::1`, `2001:0:${hex(bytes)}::1`, `2001:0:1:2::${hex(turned)}`])
          expect(embeddedIpv4(form)).toContain(text)
        expect(embeddedIpv4(`2a00::5efe:${hex(bytes)}`)).toEqual([text])
      }),
    )
  })

  it('are not made up', () => {
    for (const address of ['::1', '2606:4700:4700::1111', 'fd00::1', '1.2.3.4', 'x'])
      expect(embeddedIpv4(address)).toEqual([])
  })
})

import { describe, expect, test } from '@jest/globals'
import { networkOf, WrongKeys } from './wrong-keys.js'

const LIMITED = expect.objectContaining({ code: 'wrong_keys_limited' })

describe('S7 attempts with wrong keys', () => {
  test('are taken until there were too many, and again as the minute passes', () => {
    let now = 1_000_000
    const keys = new WrongKeys(3, () => now)
    for (let n = 0; n < 3; n++) {
      keys.admit('192.0.2.1', `guess ${n}`)
      keys.wrong('192.0.2.1', `guess ${n}`)
    }
    expect(() => keys.admit('192.0.2.1', 'guess')).toThrow(expect.objectContaining({ retryAfterS: 20 }))
    now += 19_000
    expect(() => keys.admit('192.0.2.1', 'guess')).toThrow(LIMITED)
    now += 1_000
    keys.admit('192.0.2.1', 'guess')
    keys.wrong('192.0.2.1', 'guess')
    expect(() => keys.admit('192.0.2.1', 'guess')).toThrow(LIMITED)
    now += 3_600_000
    for (let n = 0; n < 3; n++) keys.wrong('192.0.2.1', 'guess')
    expect(() => keys.admit('192.0.2.1', 'guess')).toThrow(LIMITED)
  })

  test('do not lock out a key that was right from there, until it is wrong itself', () => {
    const keys = new WrongKeys(1)
    keys.wasRight('192.0.2.1', 'mine')
    keys.wrong('192.0.2.1', 'guess')
    keys.admit('192.0.2.1', 'mine')
    expect(() => keys.admit('192.0.2.1', 'another')).toThrow(LIMITED)
    keys.admit('192.0.2.2', 'another')
    keys.wrong('192.0.2.1', 'mine')
    expect(() => keys.admit('192.0.2.1', 'mine')).toThrow(LIMITED)
  })

  test('of 50,000 addresses are remembered in bounded memory, the last ones first', () => {
    const keys = new WrongKeys(1)
    for (let n = 0; n < 50_000; n++) {
      const address = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`
      keys.wrong(address, 'guess')
      keys.wasRight(address, 'right')
    }
    const kept = keys as unknown as {
      readonly attempts: { readonly size: number }
      readonly right: { readonly size: number }
    }
    expect([kept.attempts.size, kept.right.size]).toEqual([10_000, 10_000])
    expect(() => keys.admit('10.0.195.79', 'guess')).toThrow(LIMITED)
    keys.admit('10.0.0.0', 'guess')
  })

  test('are counted by the half of an IPv6 address that its owner does not choose', () => {
    const keys = new WrongKeys(1)
    keys.wrong('2001:db8::1', 'guess')
    expect(() => keys.admit('2001:DB8:0:0:ffff::2', 'guess')).toThrow(LIMITED)
    keys.admit('2001:db8:0:1::1', 'guess')
  })

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:0DB8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['1::2:3:4:5:6:7', '1:0:2:3'],
    ['::', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0'],
    ['x'.repeat(10_000), 'x'.repeat(45)],
  ])('%s is of %s', (address, network) => expect(networkOf(address)).toBe(network))

  test('are not bounded where that is set so', () => {
    const keys = new WrongKeys(0)
    for (let n = 0; n < 1000; n++) keys.wrong('192.0.2.1', 'guess')
    keys.admit('192.0.2.1', 'guess')
  })
})

import { describe, expect, test } from '@jest/globals'
import { ClientAddresses } from './client-addresses.js'

describe('S7 where a call comes from', () => {
  test.each([
    ['is the peer, whatever it says', [], '203.0.113.7', '10.0.0.1', '203.0.113.7'],
    ['is what a trusted proxy says', ['10.0.0.0/8'], '10.1.1.1', '203.0.113.7', '203.0.113.7'],
    ['is not what a stranger says', ['10.0.0.0/8'], '203.0.113.7', '192.0.2.1', '203.0.113.7'],
    [
      'is what the proxy added, not what its client claimed',
      ['10.0.0.0/8'],
      '10.1.1.1',
      '192.0.2.1, 203.0.113.7',
      '203.0.113.7',
    ],
    ['goes through several trusted proxies', ['10.0.0.0/8'], '10.1.1.1', '203.0.113.7,10.2.2.2', '203.0.113.7'],
    ['knows the mapped form of a proxy', ['10.0.0.0/8'], '::ffff:10.1.1.1', '::ffff:203.0.113.7', '203.0.113.7'],
    ['is the proxy where it says nothing', ['10.1.1.1'], '10.1.1.1', '', '10.1.1.1'],
  ])('%s', (_what, trusted, peer, forwarded, found) => {
    expect(new ClientAddresses(trusted).of(peer, forwarded)).toBe(found)
  })
})

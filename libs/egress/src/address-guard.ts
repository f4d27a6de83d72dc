import { lookup as resolve, type LookupAddress, type LookupOptions } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** Everything that is not the public internet (IANA special-purpose registries), plus metadata services in public ranges. */
const REFUSED = [
  '0.0.0.0/8', // "this network": Linux connects 0.0.0.0 to loopback
  '10.0.0.0/8',
  '100.64.0.0/10', // CGNAT; Alibaba's metadata service is in it
  '127.0.0.0/8',
  '168.63.129.16/32', // Azure's platform service, in a public range
  '169.254.0.0/16', // link-local; the metadata service of most clouds
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
  '::/3', // unspecified, loopback, mapped and compatible IPv4, 64:ff9b::/96 and 64:ff9b:1::/48 (NAT64), 100::/64
  '2001::/23', // Teredo, benchmarking, ORCHID
  '2001:db8::/32',
  '2002::/16', // 6to4
  '3fff::/20',
  '4000::/2', // nothing from here on is global unicast
  '8000::/1', // unique local, link-local, site-local, multicast
] as const

/** The URL leads to an address that this deployment does not send to. */
export class AddressRefused extends Error {
  readonly code = 'POSTHORN_ADDRESS_REFUSED'

  constructor(host: string, address: string) {
    super(host === address ? `${address} is not a public address` : `${host} resolves to ${address}, no public address`)
    this.name = 'AddressRefused'
  }
}

/** Says which addresses may be connected to: public ones, and those of the ranges that are allowed expressly. */
export class AddressGuard {
  private readonly refused = rangesOf(REFUSED)
  private readonly allowed: Ranges

  /** Throws on a range that is no CIDR. */
  constructor(allow: readonly string[]) {
    this.allowed = rangesOf(allow)
  }

  /** `address` is an IP address as text; anything else is not permitted. */
  permits(address: string): boolean {
    const version = isIP(address)
    if (version === 0) return false
    const family = version === 4 ? 'ipv4' : 'ipv6'
    return !this.refused[family].check(address, family) || this.allowed[family].check(address, family)
  }

  /** Refuses a host that is itself an address: no lookup is ever made for one, so it is judged before connecting. */
  checkLiteral(hostname: string): AddressRefused | undefined {
    const address = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
    return isIP(address) !== 0 && !this.permits(address) ? new AddressRefused(address, address) : undefined
  }

  /**
   * DNS for the connector. One bad address among good ones refuses the host: which of them is
   * used is decided later and by others, and rebinding plays on exactly that.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, { ...(options as LookupOptions), all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return callback(error, [])
      const bad = addresses.find(({ address }) => !this.permits(address))
      if (bad) return callback(new AddressRefused(hostname, bad.address), [])
      if (options.all) return callback(null, addresses)
      callback(null, addresses[0]!.address, addresses[0]!.family)
    })
  }
}

// A list for each family: one list for both takes every IPv4 address as its mapped form, and so as part of ::/3.
type Ranges = Readonly<Record<'ipv4' | 'ipv6', BlockList>>

function rangesOf(ranges: readonly string[]): Ranges {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const range of ranges) {
    const [network = '', bits = '', ...rest] = range.split('/')
    const version = isIP(network)
    if (version === 0 || rest.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128))
      throw new Error(`"${range}" is not a range of addresses such as 10.0.0.0/8`)
    const family = version === 4 ? 'ipv4' : 'ipv6'
    lists[family].addSubnet(network, Number(bits), family)
  }
  return lists
}

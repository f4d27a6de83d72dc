import type { LookupAddress, LookupOptions } from 'node:dns'
import { lookup } from 'node:dns/promises'
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

type Resolve = (hostname: string, options: LookupOptions & { readonly all: true }) => Promise<LookupAddress[]>

/** Says which addresses may be connected to: public ones, and those of the ranges that are allowed expressly. */
export class AddressGuard {
  private readonly refused = rangesOf(REFUSED)
  private readonly allowed: Ranges
  private readonly resolving = new Map<string, Promise<LookupAddress[]>>()

  /** Throws on a range that is no CIDR. */
  constructor(
    allow: readonly string[],
    private readonly resolve: Resolve = lookup,
  ) {
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
    this.resolveOnce(hostname, options as LookupOptions).then(
      addresses => {
        const bad = addresses.find(({ address }) => !this.permits(address))
        if (bad) callback(new AddressRefused(hostname, bad.address), [])
        else if (options.all) callback(null, addresses)
        else callback(null, addresses[0]!.address, addresses[0]!.family)
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    )
  }

  /** Lookups block the few threads of libuv: those of one host at one time share one, so that a slow one holds one. */
  private resolveOnce(hostname: string, options: LookupOptions): Promise<LookupAddress[]> {
    const key = `${hostname}/${options.family}/${options.hints}`
    let pending = this.resolving.get(key)
    if (!pending) {
      pending = this.resolve(hostname, { ...options, all: true }).finally(() => this.resolving.delete(key))
      this.resolving.set(key, pending)
    }
    return pending
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

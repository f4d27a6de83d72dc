import type { LookupAddress, LookupOptions } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { embeddedIpv4 } from './embedded-ipv4.js'
import { AddressRanges } from './ranges.js'

/** Everything that is not the public internet (IANA special-purpose registries), plus metadata services in public ranges. */
const REFUSED = new AddressRanges([
  '0.0.0.0/8', // "this network": Linux connects 0.0.0.0 to loopback
  '10.0.0.0/8',
  '100.64.0.0/10', // CGNAT; Alibaba's metadata service is in it
  '127.0.0.0/8',
  '168.63.129.16/32', // Azure's platform service, in a public range
  '169.254.0.0/16', // link-local; the metadata service of most clouds
  '172.16.0.0/12',
  '192.0.0.0/24', // IETF protocol assignments; Oracle's metadata service is in it
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
])

export type RefusedCause = 'address_refused' | 'address_unlisted'

/** The URL leads to an address that this deployment, or this webhook, does not send to. */
export class AddressRefused extends Error {
  readonly code = 'POSTHORN_ADDRESS_REFUSED'

  constructor(
    host: string,
    address: string,
    what: string,
    readonly refusal: RefusedCause = 'address_refused',
  ) {
    super(host === address ? `${address} is ${what}` : `${host} resolves to ${address}, ${what}`)
    this.name = 'AddressRefused'
  }
}

/** Where this deployment sends to beside the public internet, and where it does not; CIDRs. */
export interface AddressPolicy {
  readonly allow: readonly string[]
  /** Beats `allow`. */
  readonly deny: readonly string[]
}

/** What one webhook leaves out of that. */
export interface ListedRanges {
  readonly allowed?: AddressRanges
  readonly denied?: AddressRanges
}

export type Resolve = (hostname: string, options: LookupOptions & { readonly all: true }) => Promise<LookupAddress[]>

/**
 * Says which addresses may be connected to: public ones and those of the ranges that are allowed
 * expressly, without those that are denied. An IPv6 address that leads on to an IPv4 one, as with
 * NAT64, is permitted only if both are.
 */
export class AddressGuard {
  private readonly allowed: AddressRanges
  private readonly denied: AddressRanges
  private readonly resolving = new Map<string, Promise<LookupAddress[]>>()

  /** Throws on a range that is no CIDR. */
  constructor(
    { allow, deny }: AddressPolicy,
    private readonly resolve: Resolve = lookup,
  ) {
    this.allowed = new AddressRanges(allow)
    this.denied = new AddressRanges(deny)
  }

  /** `address` is an IP address as text; anything else is not permitted. */
  permits(address: string): boolean {
    return isIP(address) !== 0 && this.refusalOf(address) === undefined
  }

  /** Refuses a host that is itself an address: no lookup is ever made for one, so it is judged before connecting. */
  checkLiteral(hostname: string, listed: ListedRanges = {}): AddressRefused | undefined {
    const address = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
    if (isIP(address) === 0) return undefined
    const refusal = this.refusalOf(address)
    if (refusal !== undefined) return new AddressRefused(address, address, refusal)
    if (leadsInto(listed.denied, address)) return deniedByWebhook(address, address)
    return listed.allowed?.has(address) === false ? unlisted(address, address) : undefined
  }

  /**
   * DNS for the connector. One bad address among good ones refuses the host: which of them is
   * used is decided later and by others, and rebinding plays on exactly that.
   */
  readonly lookup: LookupFunction = this.lookupAmong({})

  /** The same for a webhook with ranges of its own: addresses outside of `allowed` are left out, one in `denied` refuses the host. */
  lookupAmong(listed: ListedRanges): LookupFunction {
    return (hostname, options, callback) => {
      this.checked(hostname, options as LookupOptions, listed).then(
        addresses => {
          if (options.all) callback(null, addresses)
          else callback(null, addresses[0]!.address, addresses[0]!.family)
        },
        (error: NodeJS.ErrnoException) => callback(error, []),
      )
    }
  }

  private async checked(
    hostname: string,
    options: LookupOptions,
    { allowed, denied }: ListedRanges,
  ): Promise<LookupAddress[]> {
    const addresses = await this.resolveOnce(hostname, options)
    for (const { address } of addresses) {
      const refusal = isIP(address) === 0 ? 'which is no address' : this.refusalOf(address)
      if (refusal !== undefined) throw new AddressRefused(hostname, address, refusal)
      if (leadsInto(denied, address)) throw deniedByWebhook(hostname, address)
    }
    const usable = allowed === undefined ? addresses : addresses.filter(({ address }) => allowed.has(address))
    if (addresses.length === 0) throw new AddressRefused(hostname, 'nothing', 'no address')
    if (usable.length === 0) throw unlisted(hostname, addresses[0]!.address)
    return usable
  }

  /** What is wrong with it, if anything. */
  private refusalOf(address: string): string | undefined {
    if (this.denied.has(address)) return 'an address of a range that is denied'
    if (REFUSED.has(address) && !this.allowed.has(address)) return 'not a public address'
    for (const inner of embeddedIpv4(address)) {
      const refusal = this.refusalOf(inner)
      if (refusal !== undefined) return `which leads to ${inner}, ${refusal}`
    }
    return undefined
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

function leadsInto(denied: AddressRanges | undefined, address: string): boolean {
  return denied !== undefined && [address, ...embeddedIpv4(address)].some(one => denied.has(one))
}

function deniedByWebhook(host: string, address: string): AddressRefused {
  return new AddressRefused(host, address, "an address of the webhook's denied_cidrs", 'address_unlisted')
}

function unlisted(host: string, address: string): AddressRefused {
  return new AddressRefused(host, address, "no address of the webhook's allowed_cidrs", 'address_unlisted')
}

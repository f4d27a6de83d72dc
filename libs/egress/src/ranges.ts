import { BlockList, isIP } from 'node:net'

/** A set of IP addresses, given as CIDRs. */
export class AddressRanges {
  // A list for each family: one list for both takes every IPv4 address as its mapped form, and so as part of ::/3.
  private readonly lists = { ipv4: new BlockList(), ipv6: new BlockList() }

  /** Throws on a range that is no CIDR. */
  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [network = '', bits = '', ...rest] = range.split('/')
      const version = isIP(network)
      if (version === 0 || rest.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128))
        throw new Error(`"${range}" is not a range of addresses such as 10.0.0.0/8`)
      const family = version === 4 ? 'ipv4' : 'ipv6'
      this.lists[family].addSubnet(network, Number(bits), family)
    }
  }

  /** `address` is an IP address as text. */
  has(address: string): boolean {
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    return this.lists[family].check(address, family)
  }
}

/** The URL leads to a port that this deployment does not send to. */
export class PortRefused extends Error {
  constructor(port: number) {
    super(`port ${port} is not one that webhooks may lead to`)
    this.name = 'PortRefused'
  }
}

/** Ports that requests may go to. */
export class PortRanges {
  private readonly ranges: readonly (readonly [number, number])[]

  /** Each is a port, or a range such as 8000-8999. Throws on anything else. */
  constructor(ports: readonly string[]) {
    this.ranges = ports.map(text => {
      const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
      const range = [Number(first), Number(last)] as const
      if (first === '' || range[0] < 1 || range[1] > 65_535 || range[0] > range[1])
        throw new Error(`"${text}" is neither a port nor a range of ports such as 8000-8999`)
      return range
    })
  }

  has(port: number): boolean {
    return this.ranges.some(([first, last]) => port >= first && port <= last)
  }
}

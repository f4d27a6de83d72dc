const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/
const IPV6 = /^[0-9a-fA-F:]{2,39}$/
const MAPPED = '00000000000000000000ffff'

/**
 * An IP address as 8 (IPv4) or 32 (IPv6) hex digits; undefined when the text is none. IPv4 mapped into
 * IPv6 is IPv4; leading zeros do not make a part octal.
 */
export function parseAddress(text: string): string | undefined {
  if (text.length > 39 || text.length < 2) return undefined
  const parts = IPV4.exec(text)
  if (parts) return hexOfIpv4(parts.slice(1))
  return text.includes(':') && IPV6.test(text) ? hexOfIpv6(text) : undefined
}

function hexOfIpv4(parts: readonly string[]): string | undefined {
  let hex = ''
  for (const part of parts) {
    if (Number(part) > 255) return undefined
    hex += Number(part).toString(16).padStart(2, '0')
  }
  return hex
}

function hexOfIpv6(text: string): string | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const groups = halves.map(half => (half === '' ? [] : half.split(':')))
  const given = groups.flat()
  if (given.some(group => group === '' || group.length > 4)) return undefined
  const missing = 8 - given.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const zeros = Array.from({ length: missing }, () => '0')
  const hex = [...groups[0]!, ...zeros, ...(groups[1] ?? [])]
    .map(group => group.padStart(4, '0'))
    .join('')
    .toLowerCase()
  return hex.startsWith(MAPPED) ? hex.slice(24) : hex
}

/** The first and the last address of a block, as parseAddress writes them. */
export interface AddressBlock {
  readonly low: string
  readonly high: string
}

/** Reads 10.0.0.0/8 or 2001:db8::/32; the address may be any of the block. Undefined when it is neither. */
export function parseBlock(text: string): AddressBlock | undefined {
  const slash = text.indexOf('/')
  const address = slash < 0 ? undefined : parseAddress(text.slice(0, slash))
  const length = text.slice(slash + 1)
  if (address === undefined || !/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > address.length * 4)
    return undefined
  const free = BigInt(address.length * 4 - Number(length))
  const low = (BigInt(`0x${address}`) >> free) << free
  const hex = (value: bigint) => value.toString(16).padStart(address.length, '0')
  return { low: hex(low), high: hex(low | ((1n << free) - 1n)) }
}

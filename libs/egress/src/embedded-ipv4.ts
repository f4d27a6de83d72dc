import { isIPv6 } from 'node:net'

/**
 * The IPv4 addresses that a request to this IPv6 address may end at, once something on its way
 * translates it or takes it out of its tunnel: mapped, translated, NAT64, 6to4, Teredo and ISATAP.
 */
export function embeddedIpv4(address: string): string[] {
  if (!isIPv6(address)) return []
  const words = wordsOf(address)
  const starts = (...prefix: number[]) => prefix.every((word, index) => words[index] === word)
  const at = (index: number, mask = 0) => dotted(words[index]! ^ mask, words[index + 1]! ^ mask)
  const found: string[] = []
  if (starts(0, 0, 0, 0, 0, 0xffff) || starts(0, 0, 0, 0, 0xffff, 0) || starts(0x64, 0xff9b)) found.push(at(6))
  if (starts(0x2002)) found.push(at(1))
  // The server in the clear, the client with its bits turned over.
  if (starts(0x2001, 0)) found.push(at(2), at(6, 0xffff))
  if ((words[4] === 0 || words[4] === 0x200) && words[5] === 0x5efe) found.push(at(6))
  return found
}

const dotted = (high: number, low: number) => [high >> 8, high & 255, low >> 8, low & 255].join('.')

/** Its eight words of 16 bits. */
function wordsOf(address: string): number[] {
  const plain = address.replace(/%.*$/, '').replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...bytes) => {
    const [a, b, c, d] = bytes.slice(0, 4).map(Number) as [number, number, number, number]
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [head = [], tail] = plain.split('::').map(part => part.split(':').filter(word => word !== ''))
  const missing = tail === undefined ? 0 : 8 - head.length - tail.length
  return [...head, ...Array<string>(missing).fill('0'), ...(tail ?? [])].map(word => Number.parseInt(word, 16))
}

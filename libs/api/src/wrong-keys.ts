import { isIP } from 'node:net'
import { ApiError } from './errors.js'

/** What is remembered of each kind: some MB at most, however many addresses an attacker has. */
const MAX_ENTRIES = 10_000
const MINUTE_MS = 60_000

interface Attempts {
  /** Wrong keys that are still looked up. */
  left: number
  /** ms since the epoch. */
  filledAt: number
}

/**
 * Bounds how many wrong keys one address may try: so many at once, and as many again in a minute. Beyond it
 * nothing is looked up or compared, except what was right from there before: the others behind one address
 * go on working. Of IPv6 the first 64 bits are one address. In this process alone.
 */
export class WrongKeys {
  private readonly attempts = new Map<string, Attempts>()
  private readonly right = new Set<string>()

  /** 0: no bound. */
  constructor(
    private readonly perMinute: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Throws ApiError wrong_keys_limited when nothing more is tried from there, unless `key` was right before. */
  admit(address: string, key: string): void {
    const from = networkOf(address)
    const attempts = this.attempts.get(from)
    if (attempts === undefined) return
    this.fill(attempts)
    if (attempts.left >= 1 || this.right.has(`${from} ${key}`)) return
    const retryAfterS = Math.ceil(((1 - attempts.left) * 60) / this.perMinute)
    const detail = `Too many wrong keys came from ${address}: the next one is looked at in ${retryAfterS} s.`
    throw new ApiError('wrong_keys_limited', detail, [], retryAfterS)
  }

  /** `key` is no longer taken for one that was right; without it only the attempt is counted. */
  wrong(address: string, key?: string): void {
    if (this.perMinute === 0) return
    const from = networkOf(address)
    const attempts = this.attempts.get(from) ?? { left: this.perMinute, filledAt: this.now() }
    this.fill(attempts)
    attempts.left = Math.max(0, attempts.left - 1)
    // The end of the map are those of late: who fell silent is forgotten first.
    this.attempts.delete(from)
    this.attempts.set(from, attempts)
    if (key !== undefined) this.right.delete(`${from} ${key}`)
    if (this.attempts.size > MAX_ENTRIES) this.attempts.delete(this.attempts.keys().next().value!)
  }

  wasRight(address: string, key: string): void {
    if (this.perMinute === 0) return
    const pair = `${networkOf(address)} ${key}`
    this.right.delete(pair)
    this.right.add(pair)
    if (this.right.size > MAX_ENTRIES) this.right.delete(this.right.keys().next().value!)
  }

  private fill(attempts: Attempts): void {
    const now = this.now()
    // A clock that was set back gives nothing, and takes nothing.
    const passed = Math.max(0, now - attempts.filledAt) / MINUTE_MS
    attempts.left = Math.min(this.perMinute, attempts.left + passed * this.perMinute)
    attempts.filledAt = now
  }
}

/** Who has one IPv6 address has 2^64 of them. */
export function networkOf(address: string): string {
  // What a proxy says may be no address at all, and long.
  if (isIP(address) !== 6) return address.slice(0, 45)
  const [head = '', tail] = address.toLowerCase().split('%', 1)[0]!.split('::')
  const words = (text: string) => (text === '' ? [] : text.split(':'))
  const right = words(tail ?? '')
  const rightWords = right.length + (right.at(-1)?.includes('.') ? 1 : 0)
  const left = words(head)
  const zeros = tail === undefined ? 0 : 8 - left.length - rightWords
  const all = [...left, ...Array<string>(zeros).fill('0'), ...right]
  return all
    .slice(0, 4)
    .map(word => Number.parseInt(word, 16).toString(16))
    .join(':')
}

/**
 * What is finished above the committed offset, as text for the commit's metadata:
 *
 *   metadata = "p1:" base64        ; bit i, lowest first in each byte: offset committed + i is finished
 *
 * Kafka refuses more than 4,096 characters with an error that has no type.
 */
const PREFIX = 'p1:'
const MAX_METADATA = 4096
const MAX_BYTES = Math.floor((MAX_METADATA - PREFIX.length) / 4) * 3

/** Offsets above the committed one that still fit: more than the tracker's window. */
export const MAX_BITS = MAX_BYTES * 8

export class FinishedBitmap {
  private constructor(
    /** The offset of bit 0. */
    readonly base: number,
    private readonly bytes: Uint8Array,
  ) {}

  /** A bitmap of `bits` unfinished offsets from `base`; what does not fit the metadata is left out. */
  static of(base: number, bits: number): FinishedBitmap {
    return new FinishedBitmap(base, new Uint8Array(Math.ceil(Math.min(Math.max(bits, 0), MAX_BITS) / 8)))
  }

  /** Undefined for metadata of others, older or broken: then the records are read again, which is safe. */
  static parse(base: number, metadata: string | null | undefined): FinishedBitmap | undefined {
    if (!metadata?.startsWith(PREFIX) || metadata.length > MAX_METADATA) return undefined
    const text = metadata.slice(PREFIX.length)
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
    return new FinishedBitmap(base, Buffer.from(text, 'base64'))
  }

  /** One past the last offset that this can say anything about. */
  get end(): number {
    return this.base + this.bytes.length * 8
  }

  has(offset: number): boolean {
    const bit = offset - this.base
    if (bit < 0 || offset >= this.end) return false
    return (this.bytes[bit >> 3]! & (1 << (bit & 7))) !== 0
  }

  set(offset: number): void {
    const bit = offset - this.base
    if (bit >= 0 && offset < this.end) this.bytes[bit >> 3]! |= 1 << (bit & 7)
  }

  clear(offset: number): void {
    const bit = offset - this.base
    if (bit >= 0 && offset < this.end) this.bytes[bit >> 3]! &= ~(1 << (bit & 7))
  }

  /** Marks `base` up to, not including, `end` as finished. */
  setUpTo(end: number): void {
    const bits = Math.min(end, this.end) - this.base
    if (bits <= 0) return
    this.bytes.fill(0xff, 0, bits >> 3)
    if ((bits & 7) !== 0) this.bytes[bits >> 3]! |= (1 << (bits & 7)) - 1
  }

  /** The empty string when nothing is finished. */
  toMetadata(): string {
    let length = this.bytes.length
    while (length > 0 && this.bytes[length - 1] === 0) length--
    if (length === 0) return ''
    const bytes = Buffer.from(this.bytes.buffer, this.bytes.byteOffset, length)
    return PREFIX + bytes.toString('base64')
  }
}

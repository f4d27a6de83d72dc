import { createRequire } from 'node:module'
import kafkajs from 'kafkajs'

/** What kafkajs asks to be encoded. */
interface Message {
  readonly key?: Buffer | string | null
  readonly value: Buffer | string | null
  readonly headers?: Readonly<Record<string, HeaderValue | HeaderValue[] | undefined>>
  readonly timestamp?: string
}
type HeaderValue = Buffer | string
interface PartitionData {
  readonly partition: number
  readonly messages: readonly Message[]
}
interface TopicData {
  readonly topic: string
  readonly partitions: readonly PartitionData[]
}
export interface ProduceArguments {
  readonly acks: number
  readonly timeout: number
  readonly transactionalId?: string | null
  readonly producerId?: unknown
  readonly compression?: number
  readonly topicData: readonly TopicData[]
}

/** The part of kafkajs's Encoder that is read of a finished one. */
interface Encoded {
  readonly buf: Buffer
  readonly buffer: Buffer
  size(): number
}
export type ProduceRequest = { readonly encode: () => Promise<Encoded> } & Readonly<Record<string, unknown>>

/** A record with its lengths worked out: everything is then written once, into memory of the right size. */
interface Sized {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [Buffer, Buffer])[]
  /** Of all that follows the record's own length. */
  readonly body: number
}

const { compress, crc32c } = internals()

/**
 * The request (version 3 and up) of the same bytes as kafkajs's own, which it replaces. That one
 * gives a record a zeroed buffer of its own, each integer another, and copies all through six more,
 * which double as they grow: 10 µs and 15 KiB of garbage for 1 KiB. What we never send (transactions,
 * idempotence, time stamps of our own) stays with it.
 */
export function leanProduceRequest(original: ProduceRequest, args: ProduceArguments): ProduceRequest {
  return isPlain(args) ? { ...original, encode: () => encode(args) } : original
}

function isPlain({ transactionalId, producerId, topicData }: ProduceArguments): boolean {
  return (
    (transactionalId ?? null) === null &&
    (producerId === undefined || producerId === -1) &&
    topicData.every(({ partitions }) => partitions.every(({ messages }) => messages.every(m => !m.timestamp)))
  )
}

async function encode({ acks, timeout, compression = 0, topicData }: ProduceArguments): Promise<Encoded> {
  const head = Buffer.allocUnsafe(12)
  // No transaction.
  head.writeInt16BE(-1, 0)
  head.writeInt16BE(acks, 2)
  head.writeInt32BE(timeout, 4)
  head.writeInt32BE(topicData.length, 8)
  const parts: Buffer[] = [head]
  for (const { topic, partitions } of topicData) {
    parts.push(topicHead(topic, partitions.length))
    for (const { partition, messages } of partitions) {
      const sized = messages.map(sizedOf)
      if (compression === 0) parts.push(batchOf(partition, sized, 0, sizeOf(sized), writeRecords))
      else {
        const records = Buffer.allocUnsafeSlow(sizeOf(sized))
        writeRecords(records, 0, sized)
        const compressed = await compress(compression, records)
        parts.push(batchOf(partition, sized, compression, compressed.length, (to, at) => compressed.copy(to, at)))
      }
    }
  }
  const buffer = Buffer.concat(parts)
  return { buf: buffer, buffer, size: () => buffer.length }
}

function topicHead(topic: string, partitions: number): Buffer {
  const length = Buffer.byteLength(topic)
  const head = Buffer.allocUnsafe(2 + length + 4)
  head.writeInt16BE(length, 0)
  head.write(topic, 2)
  head.writeInt32BE(partitions, 2 + length)
  return head
}

/** Partition and length of the request come before the batch itself: 8 bytes. */
const BATCH_AT = 8
const CRC_AT = BATCH_AT + 17
const RECORDS_AT = BATCH_AT + 61
const MAGIC = 2
const COMPRESSION_MASK = 7

function batchOf(
  partition: number,
  records: readonly Sized[],
  compression: number,
  bytes: number,
  write: (to: Buffer, at: number, records: readonly Sized[]) => void,
): Buffer {
  const to = Buffer.allocUnsafeSlow(RECORDS_AT + bytes)
  const now = BigInt(Date.now())
  to.writeInt32BE(partition, 0)
  to.writeInt32BE(to.length - BATCH_AT, 4)
  // First offset: the broker's to say.
  to.writeBigInt64BE(0n, BATCH_AT)
  to.writeInt32BE(to.length - BATCH_AT - 12, BATCH_AT + 8)
  // Leader epoch; then the version of the format.
  to.writeInt32BE(0, BATCH_AT + 12)
  to.writeInt8(MAGIC, BATCH_AT + 16)
  to.writeInt16BE(compression & COMPRESSION_MASK, BATCH_AT + 21)
  to.writeInt32BE(records.length - 1, BATCH_AT + 23)
  to.writeBigInt64BE(now, BATCH_AT + 27)
  to.writeBigInt64BE(now, BATCH_AT + 35)
  // No producer id, epoch 0, sequence 0.
  to.writeBigInt64BE(-1n, BATCH_AT + 43)
  to.writeInt16BE(0, BATCH_AT + 51)
  to.writeInt32BE(0, BATCH_AT + 53)
  to.writeInt32BE(records.length, BATCH_AT + 57)
  write(to, RECORDS_AT, records)
  to.writeUInt32BE(crc32c(to.subarray(CRC_AT + 4)), CRC_AT)
  return to
}

function sizedOf({ key, value, headers }: Message, index: number): Sized {
  const sized = { key: bytesOf(key), value: bytesOf(value), headers: headersOf(headers) }
  // Attributes and the delta of the time stamp take a byte each.
  let body = 2 + varintSize(index) + lengthOf(sized.key) + lengthOf(sized.value) + varintSize(sized.headers.length)
  for (const [name, text] of sized.headers) body += lengthOf(name) + lengthOf(text)
  return { ...sized, body }
}

function headersOf(headers: Message['headers']): [Buffer, Buffer][] {
  const list: [Buffer, Buffer][] = []
  for (const [name, value] of Object.entries(headers ?? {}))
    for (const one of Array.isArray(value) ? value : [value]) list.push([Buffer.from(name), bytesOf(one)!])
  return list
}

function bytesOf(value: HeaderValue | null | undefined): Buffer | null {
  return value === null || value === undefined ? null : Buffer.isBuffer(value) ? value : Buffer.from(value)
}

function sizeOf(records: readonly Sized[]): number {
  return records.reduce((sum, { body }) => sum + varintSize(body) + body, 0)
}

function writeRecords(to: Buffer, start: number, records: readonly Sized[]): void {
  let at = start
  for (const [index, { key, value, headers, body }] of records.entries()) {
    at = writeVarint(to, at, body)
    to[at++] = 0
    to[at++] = 0
    at = writeVarint(to, at, index)
    at = writeBytes(to, at, key)
    at = writeBytes(to, at, value)
    at = writeVarint(to, at, headers.length)
    for (const [name, text] of headers) at = writeBytes(to, writeBytes(to, at, name), text)
  }
}

function lengthOf(bytes: Buffer | null): number {
  return bytes ? varintSize(bytes.length) + bytes.length : 1
}

function writeBytes(to: Buffer, at: number, bytes: Buffer | null): number {
  if (!bytes) return writeVarint(to, at, -1)
  const start = writeVarint(to, at, bytes.length)
  bytes.copy(to, start)
  return start + bytes.length
}

/** Of 0 or more. */
function varintSize(value: number): number {
  return value < 64 ? 1 : value < 8192 ? 2 : value < 1_048_576 ? 3 : value < 134_217_728 ? 4 : 5
}

/** Zigzag: -1 is one byte, too. */
function writeVarint(to: Buffer, start: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  let at = start
  for (; rest > 0x7f; rest >>>= 7) to[at++] = (rest & 0x7f) | 0x80
  to[at++] = rest
  return at
}

function internals() {
  const require = createRequire(import.meta.url)
  const codecs = kafkajs.CompressionCodecs as unknown as Readonly<
    Record<number, () => { compress(encoder: { readonly buffer: Buffer }): Promise<Buffer> }>
  >
  return {
    compress: (compression: number, buffer: Buffer) => codecs[compression & COMPRESSION_MASK]!().compress({ buffer }),
    crc32c: require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number,
  }
}

import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import type { KafkaCompression } from '@posthorn/process'
import kafkajs from 'kafkajs'
import { compressFrame, decompressFrame } from 'lz4-napi'
import snappy from 'snappy'

const { CompressionCodecs, CompressionTypes } = kafkajs

export const COMPRESSION_TYPES: Readonly<Record<KafkaCompression, kafkajs.CompressionTypes>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}

type Transform = (bytes: Buffer) => Promise<Buffer>

/** Producers of events.v1 choose their own compression; kafkajs has only gzip built in. */
export function registerCodecs(): void {
  register(CompressionTypes.Snappy, bytes => snappy.compress(bytes), readSnappy)
  register(CompressionTypes.LZ4, compressFrame, decompressFrame)
  register(CompressionTypes.ZSTD, promisify(zstdCompress), promisify(zstdDecompress))
}

type Codec = Exclude<kafkajs.CompressionTypes, kafkajs.CompressionTypes.None>

function register(type: Codec, compress: Transform, decompress: Transform): void {
  const codec = { compress: (encoder: { readonly buffer: Buffer }) => compress(encoder.buffer), decompress }
  CompressionCodecs[type] = () => codec
}

/** What Java's SnappyOutputStream begins with; 8 bytes of versions follow, then blocks: length, snappy. */
const XERIAL_MAGIC = Buffer.from('\x82SNAPPY\0', 'latin1')
const XERIAL_HEADER_BYTES = 16

/** Java writes blocks of 32 KiB in a framing of its own, librdkafka and we write one bare block. */
async function readSnappy(bytes: Buffer): Promise<Buffer> {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return decompressBlock(bytes)
  const blocks: Promise<Buffer>[] = []
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length;) {
    const from = at + 4
    at = from + bytes.readUInt32BE(at)
    blocks.push(decompressBlock(bytes.subarray(from, at)))
  }
  return Buffer.concat(await Promise.all(blocks))
}

async function decompressBlock(block: Buffer): Promise<Buffer> {
  return (await snappy.uncompress(block, { asBuffer: true })) as Buffer
}

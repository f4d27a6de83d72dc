import { createRequire } from 'node:module'

/** Of kafkajs's OffsetFetch requests (src/protocol/requests/offsetFetch, 2.2.4), which end at version 4. */
export interface OffsetFetchDefinition {
  versions: string[]
  protocol: (of: { readonly version: number | string }) => (args: OffsetFetchArguments) => OffsetFetchCall
}
interface OffsetFetchArguments {
  readonly groupId: string
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly { readonly partition: number }[] }[]
}
interface OffsetFetchCall {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    encode(): Promise<Encoder>
  }
  readonly response: { decode(raw: Buffer): Promise<object>; parse(data: object): Promise<object> }
}

/** What is used of its Encoder and Decoder (src/protocol). */
interface Encoder {
  writeInt8(value: number): this
  writeInt32(value: number): this
  writeBoolean(value: boolean): this
  writeUVarInt(value: number): this
  writeUVarIntString(value: string): this
}
interface Decoder {
  readInt16(): number
  readInt32(): number
  readInt64(): { toString(): string }
  readUVarIntString(): string | null
  readUVarIntArray<T>(read: (decoder: Decoder) => T): T[] | null
  readTaggedFields(): unknown
}

const API_KEY = 9
/** The first with `require_stable`: Kafka 2.5. */
const STABLE_VERSION = 7
const NO_TAGS = 0
const NULL_ARRAY = 0

/**
 * Adds the version of OffsetFetch in which the broker waits until it knows what it tells. Without
 * that a coordinator of Kafka 4 answers what stood below its high watermark, which is up to 5 s old
 * when all brokers were killed: commits of before are missing, or all of them (-1), for some seconds.
 * Who starts there reads the log again from its start.
 */
export function askForStableOffsets(definition: OffsetFetchDefinition): void {
  const require = createRequire(import.meta.url)
  const NewEncoder = require('kafkajs/src/protocol/encoder') as new () => Encoder
  const NewDecoder = require('kafkajs/src/protocol/decoder') as new (raw: Buffer) => Decoder
  const { protocol, versions } = definition
  const newest = Number(versions.at(-1))
  definition.versions = [...versions, String(STABLE_VERSION)]
  definition.protocol = of => {
    // Brokers that know none between: kafkajs asks for the lower of theirs and ours, whether we have it or not.
    if (Number(of.version) < STABLE_VERSION) return protocol({ version: Math.min(Number(of.version), newest) })
    const { parse } = protocol({ version: newest })({ groupId: '', topics: [] }).response
    return args => ({
      request: {
        apiKey: API_KEY,
        apiVersion: STABLE_VERSION,
        apiName: 'OffsetFetch',
        encode: () => Promise.resolve(encode(new NewEncoder(), args)),
      },
      response: { decode: raw => Promise.resolve(decode(new NewDecoder(raw))), parse },
    })
  }
}

function encode(encoder: Encoder, { groupId, topics }: OffsetFetchArguments): Encoder {
  // The tags of the header: kafkajs writes the header of a version without them.
  encoder.writeInt8(NO_TAGS).writeUVarIntString(groupId)
  // None named, as kafkajs means it: all that the group has committed.
  encoder.writeUVarInt(topics.length === 0 ? NULL_ARRAY : topics.length + 1)
  for (const { topic, partitions } of topics) {
    encoder.writeUVarIntString(topic).writeUVarInt(partitions.length + 1)
    for (const { partition } of partitions) encoder.writeInt32(partition)
    encoder.writeInt8(NO_TAGS)
  }
  return encoder.writeBoolean(true).writeInt8(NO_TAGS)
}

function decode(decoder: Decoder): object {
  decoder.readTaggedFields()
  const clientSideThrottleTime = decoder.readInt32()
  const responses = decoder.readUVarIntArray(decodeTopic)
  return { throttleTime: 0, clientSideThrottleTime, responses, errorCode: decoder.readInt16() }
}

function decodeTopic(decoder: Decoder) {
  const topic = decoder.readUVarIntString()
  const partitions = decoder.readUVarIntArray(decodePartition)
  decoder.readTaggedFields()
  return { topic, partitions }
}

function decodePartition(decoder: Decoder) {
  const partition = decoder.readInt32()
  const offset = decoder.readInt64().toString()
  decoder.readInt32() // leader epoch
  const metadata = decoder.readUVarIntString()
  const errorCode = decoder.readInt16()
  decoder.readTaggedFields()
  return { partition, offset, metadata, errorCode }
}

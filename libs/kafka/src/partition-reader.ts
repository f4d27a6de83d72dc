import type { Cluster, KafkaMessage } from 'kafkajs'
import type { KafkaConnection } from './connection.js'
import { listOffsets, lowLevel, type LowLevel } from './low-level.js'

/** One answer to a fetch. */
export interface FetchedRecords {
  /** Views of the response: copy what outlives it. */
  readonly messages: readonly KafkaMessage[]
  /** Where to go on. */
  readonly next: number
  /** The end of the log as the broker had it: too low after all brokers were killed, see end(). */
  readonly end: number
}

interface FetchedPartition {
  readonly highWatermark: string
  readonly messages: readonly (KafkaMessage & { readonly isControlRecord?: boolean })[]
}

const MAX_BYTES = 1024 * 1024

/** The offset asked for is not in the log: it was removed, or the topic was made anew. */
export class OffsetGone extends Error {
  override readonly name = 'OffsetGone'
}

/**
 * Reads one partition outside any group, without commits. kafkajs has no manual assignment; but its
 * low-level client can fetch. One reader a partition: a broker answers a connection's requests in
 * turn, and a fetch that waits would hold up the others.
 */
export class PartitionReader {
  private readonly client: LowLevel

  constructor(
    connection: KafkaConnection,
    /** With the deployment's prefix. */
    private readonly topic: string,
    private readonly partition: number,
  ) {
    this.client = lowLevel(connection, `${topic}-reader`, 3)
  }

  /** Rejects when Kafka is away; call it again then. */
  async open(): Promise<void> {
    await this.client.consumer.connect()
    await this.client.cluster.addTargetTopic(this.topic)
  }

  /**
   * Waits up to `maxWaitMs` for a record at `offset`, less as soon as there is one. Rejects with
   * OffsetGone, or with kafkajs's error while the leader is away: recover() then, and again.
   */
  async fetch(offset: number, maxWaitMs: number): Promise<FetchedRecords> {
    return fetchRecords(this.client.cluster, { topic: this.topic, partition: this.partition, offset }, maxWaitMs)
  }

  /** The first offset of the log. */
  start(): Promise<number> {
    return this.offset(true)
  }

  /**
   * The end of the log. After all brokers were killed a leader begins with the end that it had last
   * noted, up to 5 s too low: a fetch tells that one, and this rejects until the leader is certain.
   */
  end(): Promise<number> {
    return this.offset(false)
  }

  private async offset(fromBeginning: boolean): Promise<number> {
    const partitions = [{ partition: this.partition }]
    const [answer] = await listOffsets(this.client.cluster, [{ topic: this.topic, partitions, fromBeginning }])
    return Number(answer!.partitions[0]!.offset)
  }

  /** After an error: forgets a broken connection and asks again who leads. */
  async recover(error: unknown): Promise<void> {
    const { name, host, port } = error as { name?: string; host?: string; port?: number }
    if (name === 'KafkaJSConnectionClosedError' && host !== undefined && port !== undefined)
      this.client.cluster.removeBroker({ host, port })
    if (!this.client.cluster.isConnected()) await this.client.cluster.connect()
    await this.client.cluster.refreshMetadata()
  }

  close(): Promise<void> {
    return this.client.consumer.disconnect()
  }
}

/** See PartitionReader.fetch. Of a batch that is larger than `maxBytes` all of it comes. */
export async function fetchRecords(
  cluster: Cluster,
  { topic, partition, offset }: { readonly topic: string; readonly partition: number; readonly offset: number },
  maxWaitMs: number,
  maxBytes = MAX_BYTES,
): Promise<FetchedRecords> {
  await cluster.refreshMetadataIfNecessary()
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]))
  if (nodeId === undefined) throw new Error(`${topic}/${partition} has no leader`)
  const broker = await cluster.findBroker({ nodeId })
  const topics = [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes }] }]
  const answer = await broker
    .fetch({ maxWaitTime: maxWaitMs, minBytes: 1, maxBytes, topics })
    .catch((error: unknown) => {
      throw (error as { type?: string }).type === 'OFFSET_OUT_OF_RANGE' ? new OffsetGone(String(error)) : error
    })
  const found = (answer as { responses: { partitions: FetchedPartition[] }[] }).responses[0]?.partitions[0]
  if (!found) throw new Error(`the broker left ${topic}/${partition} out of its answer`)
  const end = Number(found.highWatermark)
  const last = found.messages.at(-1)
  // Nothing although there should be: only holes are left up to the end, of compaction or markers.
  const next = last ? Number(last.offset) + 1 : Math.max(offset, end)
  const messages = found.messages.filter(message => !message.isControlRecord && Number(message.offset) >= offset)
  return { messages, next: Math.max(next, offset), end }
}

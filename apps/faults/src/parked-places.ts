import { decodeParked, WEBHOOK_STATE } from '@posthorn/topics'
import type { Kafka } from 'kafkajs'
import { readLog } from './topic-log.js'

/** The places that are parked for these webhooks by the last word of webhook-state.v1. */
export async function parkedPlaces(kafka: Kafka, webhooks: readonly string[]): Promise<string[]> {
  const facets = new Map<string, Buffer | null>()
  for (const { key, value } of await readLog(kafka, WEBHOOK_STATE)) facets.set(String(key), value)
  return [...facets.values()].flatMap(value => {
    const read = decodeParked(value)
    return read.kind === 'document' && webhooks.includes(read.document.webhook) ? [JSON.stringify(read.document)] : []
  })
}

import { createApiClient, type ApiClient, type ApiSchemas } from '@posthorn/api/client'
import { startStack, type Stack } from '@posthorn/testkit'
import type { Kafka } from 'kafkajs'
import { kafkaOf, openProducer, type Producer } from './load.js'
import { startReceiver, type Receiver } from './receiver.js'

/** A platform of its own, and what stands outside of it. */
export interface Platform {
  readonly stack: Stack
  readonly receiver: Receiver
  readonly kafka: Kafka
  readonly produce: Producer
}

/**
 * As a pod of the chart has it: the image's two arenas, without which glibc keeps far more memory than is in
 * use, and the heap that Node takes at most by itself where it may have 512 MiB. Without a limit it leaves
 * garbage for as long as the machine has room.
 */
const AS_IN_POD = { MALLOC_ARENA_MAX: '2', NODE_OPTIONS: '--max-old-space-size=256' }

/** What Kafka's own scripts give a broker; the embedded one of a smaller heap collects twice as often, and stops for it. */
const AS_KAFKA_COMES = { KAFKA_HEAP_OPTS: process.env.KAFKA_HEAP_OPTS ?? '-Xmx1G -Xms1G' }

/** Starts a platform with these variables and ends it, whatever becomes of the work; a signal ends the work. */
export async function onPlatform(
  work: (platform: Platform) => Promise<void>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const signalled = untilSignalled()
  const receiver = await startReceiver()
  try {
    const stack = await startStack({ ...AS_IN_POD, ...AS_KAFKA_COMES, ...env })
    try {
      const kafka = kafkaOf(stack.kafka)
      const { produce, close } = await openProducer(kafka)
      await Promise.race([work({ stack, receiver, kafka, produce }), signalled.rejects])
      await close()
    } finally {
      await stack.stop()
    }
  } finally {
    receiver.stop()
    signalled.forget()
  }
}

/** A second signal ends the process at once. */
function untilSignalled() {
  let end: (signal: NodeJS.Signals) => void = () => undefined
  const rejects = new Promise<never>((_, reject) => (end = signal => reject(new Error(`ended by ${signal}`))))
  rejects.catch(() => undefined)
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.once(signal, end)
  return { rejects, forget: () => signals.forEach(signal => process.off(signal, end)) }
}

export function apiOf({ stack }: Platform, tenant?: string): ApiClient {
  return createApiClient({ url: stack.api, key: stack.key, tenant })
}

/** The answer of the API; throws with the problem when it is one. */
export async function answered<T>(call: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  const { data, error } = await call
  if (error !== undefined || data === undefined) throw new Error(`the API answered ${JSON.stringify(error)}`)
  return data
}

type Registration = Partial<Omit<ApiSchemas['CreateWebhookBody'], 'url'>> & {
  readonly events: string[]
  /** Of the receiver, from its slash on. */
  readonly path: string
  /** What stands before the path; the receiver's plain URL unless given. */
  readonly base?: string
  readonly tenant?: string
}

/** Registration waits for the topic: so many at once take no longer than one. */
const AT_ONCE = 16

/** Registers webhooks 0 to `count` - 1; resolves with their ids in that order. */
export async function register(
  platform: Platform,
  count: number,
  webhookOf: (n: number) => Registration,
): Promise<readonly string[]> {
  const ids: string[] = []
  let next = 0
  const work = async () => {
    while (next < count) {
      const n = next++
      const { path, base = platform.receiver.url, tenant, ...fields } = webhookOf(n)
      // What has a default may be left out, which the generated type does not say.
      const body = { ...fields, url: `${base}${path}` } as ApiSchemas['CreateWebhookBody']
      ids[n] = (await answered(apiOf(platform, tenant).POST('/v1/webhooks', { body }))).id
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return ids
}

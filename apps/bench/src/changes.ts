import { setTimeout as sleep } from 'node:timers/promises'
import { answerOf, createApiClient } from '@posthorn/api/client'
import { startReceiver, startStack, until, type Receiver, type Stack } from '@posthorn/testkit'
import { encodeEvent } from '@posthorn/topics'
import { kafkaOf, openProducer, type Producer } from './load.js'
import { percentile, printTable, round, type Row } from './table.js'

export interface ChangesOptions {
  /** Webhooks that are created, moved, disabled and deleted, one after the other. */
  readonly webhooks: number
}

/** Events for the webhook that is being changed: what is measured is no finer than this. */
const EVENT_EVERY_MS = 5
/** Without a request for so long a webhook that was stopped counts as stopped. */
const SILENT_MS = 400
const WITHIN_MS = 10_000
const WARM = 5

type Change = 'created' | 'moved' | 'disabled' | 'enabled' | 'deleted'

/**
 * Time from the answer to a change until deliveries show it: the first request to the new place, or
 * the last one to a webhook that takes no more. Events flow meanwhile, so their own way is in it.
 */
export async function changes({ webhooks }: ChangesOptions): Promise<void> {
  const receiver = await startReceiver()
  const stack = await startStack()
  const answers: number[] = []
  const effects: Record<Change, number[]> = { created: [], moved: [], disabled: [], enabled: [], deleted: [] }
  try {
    const { produce, close } = await openProducer(kafkaOf(stack.kafka))
    for (let n = 0; n < webhooks + WARM; n++) {
      const found = await changeOne({
        stack,
        receiver,
        produce,
        n,
        answered: ms => void (n >= WARM && answers.push(ms)),
      })
      if (n >= WARM) for (const [change, ms] of Object.entries(found)) effects[change as Change].push(ms)
    }
    await close()
    console.log(`\nfrom the answer to a change until deliveries show it: ${webhooks} webhooks, one event each 5 ms\n`)
    const all = Object.values(effects).flat()
    const told = [...Object.entries(effects), ['all', all] as const, ['(the answer itself)', answers] as const]
    const rows = told.map(([name, ages]): Row => [
      name,
      ages.length,
      ...[0.5, 0.95, 1].map(share => `${round(percentile(ages, share), 1)} ms`),
    ])
    printTable(['change', 'times', 'p50', 'p95', 'max'], rows)
  } finally {
    await stack.stop()
    await receiver.close()
  }
}

interface Changing {
  readonly stack: Stack
  readonly receiver: Receiver
  readonly produce: Producer
  readonly n: number
  /** How long the registry took to answer, ms. */
  answered(ms: number): void
}

async function changeOne({ stack, receiver, produce, n, answered }: Changing): Promise<Record<Change, number>> {
  const type = `bench.change.${n}`
  const url = (place: string) => `${receiver.url}/${n}/${place}`
  const flow = new AbortController()
  const flowing = flowOf(produce, type, flow.signal)
  const api = createApiClient({ url: stack.api, key: stack.key })
  const timed = async <T>(call: Parameters<typeof answerOf<T>>[0]) => {
    const asked = performance.now()
    const answer = await answerOf(call)
    answered(performance.now() - asked)
    return { answer, at: Date.now() }
  }
  const times = (place: string) =>
    receiver.requests.filter(({ path }) => path === `/${n}/${place}`).map(({ receivedAt }) => receivedAt)
  const firstAt = async (place: string, since: number) => {
    const found = () => times(place).find(at => at >= since)
    await until(
      () => found() !== undefined,
      WITHIN_MS,
      () => `nothing came to /${n}/${place}`,
    )
    return found()! - since
  }
  const lastAt = async (place: string, since: number) => {
    const last = () => times(place).at(-1) ?? since
    await until(
      () => Date.now() - Math.max(last(), since) > SILENT_MS,
      WITHIN_MS,
      () => `/${n}/${place} does not end`,
    )
    return Math.max(0, last() - since)
  }
  try {
    const made = await timed(api.POST('/v1/webhooks', { body: { url: url('first'), events: [type] } }))
    const params = { path: { id: made.answer.id } }
    const created = await firstAt('first', made.at)
    const move = api.PATCH('/v1/webhooks/{id}', { params, body: { url: url('second') } })
    const moved = await firstAt('second', (await timed(move)).at)
    const disabled = await lastAt('second', (await timed(api.POST('/v1/webhooks/{id}/disable', { params }))).at)
    const enabled = await firstAt('second', (await timed(api.POST('/v1/webhooks/{id}/enable', { params }))).at)
    const deleted = await lastAt('second', (await timed(api.DELETE('/v1/webhooks/{id}', { params }))).at)
    return { created, moved, disabled, enabled, deleted }
  } finally {
    flow.abort()
    await flowing
  }
}

async function flowOf(produce: Producer, type: string, signal: AbortSignal): Promise<void> {
  for (let n = 0; !signal.aborted; n++) {
    const event = { tenant: 'default', id: `${type}-${n}`, source: '/bench', type, time: new Date().toISOString() }
    await produce([encodeEvent({ ...event, contenttype: 'application/json' }, Buffer.from('1'))])
    await sleep(EVENT_EVERY_MS)
  }
}

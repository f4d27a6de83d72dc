import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { answerOf, createApiClient, type ApiClient, type ApiSchemas } from '@posthorn/api/client'
import { startReceiver, startStack, until, type Receiver, type Stack } from '@posthorn/testkit'
import { deliveryId } from '@posthorn/webhook'

const SOURCE = '/replays'
const WAIT_MS = 150_000
let stack: Stack
let api: ApiClient
let ingest: ApiClient
let receiver: Receiver
/** What the receiver answers, by the path of its webhook. */
const answers = new Map<string, number>()

beforeAll(async () => {
  receiver = await startReceiver(({ path }) => ({ status: answers.get(path) ?? 200 }))
  stack = await startStack()
  api = createApiClient({ url: stack.api, key: stack.key })
  ingest = createApiClient({ url: stack.publish, key: stack.key })
}, 120_000)
afterAll(async () => {
  await stack?.stop()
  await receiver.close()
}, 60_000)

type Replay = ApiSchemas['ReplayView']

interface Page {
  readonly data: readonly object[]
  readonly next_cursor: string | null
}

async function register(path: string, type: string): Promise<string> {
  const body = { url: receiver.url + path, events: [type], retry_policy: { attempts: 1 } }
  return (await answerOf(api.POST('/v1/webhooks', { body }))).id
}

async function publish(type: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += 500) {
    const events = Array.from({ length: Math.min(500, count - from) }, (_, n) => ({
      id: `${type}-${from + n}`,
      source: SOURCE,
      type,
      data: { n: from + n },
    }))
    await answerOf(ingest.POST('/v1/publish', { body: events }))
  }
}

const idsOf = (webhook: string, type: string, count: number) =>
  Array.from({ length: count }, (_, n) =>
    deliveryId({ tenant: 'default', source: SOURCE, id: `${type}-${n}` }, webhook),
  )

/** How often each delivery came to a path. */
function received(path: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const request of receiver.requests)
    if (request.path === path) {
      const id = String(request.headers['webhook-id'])
      counts.set(id, (counts.get(id) ?? 0) + 1)
    }
  return counts
}

async function untilStatus(webhook: string, status: 'delivered' | 'exhausted', count: number): Promise<void> {
  let found = 0
  await until(
    async () => {
      found = 0
      let cursor: string | null = null
      do {
        const query = { webhook, status, limit: 250, ...(cursor === null ? {} : { cursor }) }
        const page: Page = await answerOf(api.GET('/v1/deliveries', { params: { query } }))
        found += page.data.length
        cursor = page.next_cursor
      } while (cursor !== null)
      return found === count
    },
    WAIT_MS,
    () => `${found} of ${count} are ${status}`,
  )
}

/** It may be on its way back from the last time. */
async function killReplayer(): Promise<void> {
  await until(() => stack.currentPids().replayer !== undefined, WAIT_MS)
  process.kill(stack.currentPids().replayer!, 'SIGKILL')
}

const replay = (body: ApiSchemas['CreateReplayBody']) => answerOf(api.POST('/v1/replays', { body }))

async function untilReplay(id: string, holds: (replay: Replay) => boolean): Promise<Replay> {
  let last: Replay | undefined
  await until(
    async () => holds((last = await answerOf(api.GET('/v1/replays/{id}', { params: { path: { id } } })))),
    WAIT_MS,
    () => `the replay is ${JSON.stringify(last)}`,
  )
  return last!
}

describe('replays', () => {
  it('redrive a dead letter: the same delivery comes again, and the history has both runs', async () => {
    answers.set('/dead', 500)
    const webhook = await register('/dead', 'dead.one')
    const [id] = idsOf(webhook, 'dead.one', 1)
    await publish('dead.one', 1)
    await untilStatus(webhook, 'exhausted', 1)
    answers.set('/dead', 200)
    const { id: run } = await replay({ deliveries: [id!] })
    expect(await untilReplay(run, ({ status }) => status === 'done')).toMatchObject({ sent: 1, skipped: 0 })
    await untilStatus(webhook, 'delivered', 1)
    expect(await answerOf(api.GET('/v1/deliveries/{id}', { params: { path: { id: id! } } }))).toMatchObject({
      run,
      status: 'delivered',
      attempts_made: 1,
      attempts: [
        { run: '0', attempt: 1, outcome: 'exhausted', status_code: 500 },
        { run, attempt: 1, outcome: 'delivered', status_code: 200 },
      ],
    })
    const both = receiver.requests.filter(({ path }) => path === '/dead')
    expect(both.map(({ headers }) => headers['webhook-id'])).toEqual([id, id])
    expect(both[1]!.body).toEqual(both[0]!.body)
  }, 120_000)

  it('redrive all of a webhook, and send nothing twice when their process is killed', async () => {
    answers.set('/all', 500)
    const webhook = await register('/all', 'dead.all')
    const ids = idsOf(webhook, 'dead.all', 400)
    await publish('dead.all', 400)
    await untilStatus(webhook, 'exhausted', 400)
    answers.set('/all', 200)
    const { id } = await replay({ webhook, rate: 80 })
    for (const sent of [60, 200]) {
      await untilReplay(id, now => now.sent >= sent)
      await killReplayer()
    }
    await untilReplay(id, ({ status }) => status === 'done')
    await untilStatus(webhook, 'delivered', 400)
    const counts = received('/all')
    expect(ids.filter(each => counts.get(each) !== 2)).toEqual([])
    expect(counts.size).toBe(400)
  }, 180_000)

  it('bring the log to a webhook that was created afterwards, and nothing that it had', async () => {
    // An event that still waits for its router would match the webhook below: once this one has all, none does.
    const witness = await register('/earlier', 'log.thing')
    await publish('log.thing', 300)
    await untilStatus(witness, 'delivered', 300)
    const from = new Date(Date.now() - 3600_000).toISOString()
    const webhook = await register('/later', 'log.thing')
    const ids = idsOf(webhook, 'log.thing', 310)
    await new Promise(resolve => setTimeout(resolve, 50))
    for (let n = 300; n < 310; n++) {
      const event = { id: `log.thing-${n}`, source: SOURCE, type: 'log.thing', data: { n } }
      await answerOf(ingest.POST('/v1/publish', { body: event }))
    }
    await untilStatus(webhook, 'delivered', 10)
    const body = { source: 'log', webhook, from, rate: 10_000 } as const
    const dry = await untilReplay((await replay({ ...body, dry_run: true })).id, ({ status }) => status === 'done')
    expect(dry).toMatchObject({ matched: 300, sent: 0, skipped: 10 })
    const { id } = await replay(body)
    expect(await untilReplay(id, ({ status }) => status === 'done')).toMatchObject({ sent: 300, skipped: 10 })
    await untilStatus(webhook, 'delivered', 310)
    expect([...received('/later')].sort()).toEqual(ids.map(each => [each, 1]).sort())
  }, 120_000)

  /** Events that a webhook made afterwards has to get from the log; resolves with it and its delivery ids. */
  async function afterwards(name: string, count: number) {
    const type = `afterwards.${name}`
    const witness = await register(`/witness-${name}`, type)
    await publish(type, count)
    await untilStatus(witness, 'delivered', count)
    const from = new Date(Date.now() - 3600_000).toISOString()
    const webhook = await register(`/${name}`, type)
    return { webhook, from, ids: idsOf(webhook, type, count) }
  }

  it('S11 take nothing from the live traffic of their webhook, though its rate limit is all they need', async () => {
    answers.set('/limited', 500)
    const webhook = await register('/limited', 'limited.thing')
    await publish('limited.thing', 200)
    await untilStatus(webhook, 'exhausted', 200)
    answers.set('/limited', 200)
    const path = { id: webhook }
    const limit = { requests: 10, per: 'second' } as const
    await answerOf(api.PATCH('/v1/webhooks/{id}', { params: { path }, body: { rate_limit: limit } }))
    const { id: run } = await replay({ webhook, rate: 10_000 })
    await untilReplay(run, ({ sent }) => sent === 200)
    const before = receiver.requests.length
    const publishedAt = new Map<string, number>()
    for (let n = 200; n < 220; n++) {
      publishedAt.set(idsOf(webhook, 'limited.thing', n + 1).at(-1)!, Date.now())
      const event = { id: `limited.thing-${n}`, source: SOURCE, type: 'limited.thing', data: { n } }
      await answerOf(ingest.POST('/v1/publish', { body: event }))
      await new Promise(resolve => setTimeout(resolve, 300))
    }
    const live = () =>
      receiver.requests.slice(before).filter(({ headers }) => publishedAt.has(String(headers['webhook-id'])))
    await until(() => live().length === 20, WAIT_MS)
    // By what the rate gave to the replay meanwhile, and not by the clock of a machine that may be busy: 5 s of it.
    const replayed = receiver.requests.slice(before).filter(({ path, headers }) => {
      return path === '/limited' && !publishedAt.has(String(headers['webhook-id']))
    })
    for (const { headers, receivedAt } of live()) {
      const since = publishedAt.get(String(headers['webhook-id']))!
      const overtaking = replayed.filter(other => other.receivedAt > since && other.receivedAt < receivedAt)
      expect(overtaking.length).toBeLessThan(50)
      expect(receivedAt - since).toBeLessThan(30_000)
    }
    // The replay has what is left of the rate.
    await untilStatus(webhook, 'delivered', 220)
    expect([...received('/limited').values()].filter(count => count > 2)).toEqual([])
  }, 180_000)

  it('go on through the log where they were when their process is killed, and send nothing twice', async () => {
    const { webhook, from, ids } = await afterwards('killed', 300)
    const { id } = await replay({ source: 'log', webhook, from, rate: 60 })
    for (const sent of [50, 150]) {
      await untilReplay(id, now => now.sent >= sent)
      await killReplayer()
    }
    await untilReplay(id, ({ status }) => status === 'done')
    await untilStatus(webhook, 'delivered', 300)
    expect([...received('/killed')].sort()).toEqual(ids.map(each => [each, 1]).sort())
  }, 180_000)

  it('wait for a Kafka that is away, and then bring all', async () => {
    const { webhook, from, ids } = await afterwards('away', 300)
    const { id } = await replay({ source: 'log', webhook, from, rate: 60 })
    await untilReplay(id, now => now.sent >= 100)
    process.kill(stack.currentPids().kafka!, 'SIGKILL')
    const isOver = ({ status }: Replay) => ['done', 'failed', 'cancelled'].includes(status)
    expect(await untilReplay(id, isOver)).toMatchObject({ status: 'done', sent: 300 })
    await untilStatus(webhook, 'delivered', 300)
    const counts = received('/away')
    expect([...counts.keys()].sort()).toEqual(ids.sort())
    // The deliverer joins again: only what was in flight then may come twice, 64 at most.
    expect([...counts.values()].filter(count => count > 1).length).toBeLessThanOrEqual(64)
  }, 240_000)
})

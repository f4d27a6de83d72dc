import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  credentials,
  loadPackageDefinition,
  Metadata,
  type Client,
  type ClientWritableStream,
  type ServiceError,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { PROTO_DIR, PROTO_OPTIONS } from '@posthorn/api'
import { callApi, startReceiver, startStack, until, type Receiver, type Stack } from '@posthorn/testkit'

/*
 * One identity is delivered once, by whichever edge it comes, and after every service was killed. A webhook of its
 * own partition key for all: what is published last is read last, by the router and by the deliverer.
 */

const WAIT_MS = 90_000
const KILLED = ['registry', 'ingest', 'router', 'deliverer', 'retry-scheduler', 'monitor']
/** What would come twice comes within moments of what was published after it. */
const STRAGGLERS_MS = 1000

type Done = (error: ServiceError | null) => void
type PublishClient = Client & {
  Publish(request: object, metadata: Metadata, done: Done): void
  PublishStream(metadata: Metadata, done: Done): ClientWritableStream<object>
}
interface Sent {
  readonly id?: string
  readonly key?: string
  readonly data: string
}

let stack: Stack
let receiver: Receiver
let client: PublishClient
beforeAll(async () => {
  receiver = await startReceiver(() => ({ status: 200 }))
  stack = await startStack()
  const file = join(PROTO_DIR, 'posthorn/publish/v1/publish.proto')
  const { posthorn } = loadPackageDefinition(
    loadSync(file, { ...PROTO_OPTIONS, includeDirs: [PROTO_DIR] }),
  ) as unknown as {
    posthorn: { publish: { v1: { PublishService: new (address: string, creds: unknown) => PublishClient } } }
  }
  client = new posthorn.publish.v1.PublishService(stack.publishGrpc, credentials.createInsecure())
}, 120_000)
afterAll(async () => {
  client?.close()
  await stack?.stop()
  await receiver.close()
}, 60_000)

const attributes = ({ id }: Sent) => ({ ...(id === undefined ? {} : { id }), type: 'once.only', partitionkey: 'p' })

async function byRest(sent: Sent): Promise<void> {
  const answer = await fetch(`${stack.publish}/v1/publish`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${stack.key}`,
      'content-type': 'application/json',
      ...(sent.key === undefined ? {} : { 'idempotency-key': sent.key }),
    },
    body: JSON.stringify({ ...attributes(sent), data: sent.data }),
  })
  expect(answer.status).toBe(202)
}

function byGrpc(sent: Sent, streamed: boolean): Promise<void> {
  const metadata = new Metadata()
  metadata.set('authorization', `Bearer ${stack.key}`)
  if (sent.key !== undefined) metadata.set('idempotency-key', sent.key)
  const event = { ...attributes(sent), data: Buffer.from(JSON.stringify(sent.data)) }
  return new Promise((resolve, reject) => {
    const done: Done = error => (error ? reject(error) : resolve())
    if (!streamed) return client.Publish({ events: [event] }, metadata, done)
    const stream = client.PublishStream(metadata, done)
    stream.write({ event })
    stream.end()
  })
}

async function byEveryEdge(sent: Sent): Promise<void> {
  await byGrpc(sent, false)
  await byGrpc(sent, true)
  await byRest(sent)
}

const received = () =>
  receiver.requests.map(({ body }) => (JSON.parse(body.toString()) as { data: string }).data).sort()

async function untilReceived(data: string): Promise<void> {
  await until(
    () => received().includes(data),
    WAIT_MS,
    () => `${data} did not come: ${received().join()}`,
  )
  await sleep(STRAGGLERS_MS)
}

async function untilRecorded(count: number): Promise<void> {
  const recorded = async () => {
    const { data } = (await callApi(stack, 'GET', '/v1/attempts?outcome=delivered')) as { data: readonly object[] }
    return data.length >= count
  }
  await until(recorded, WAIT_MS)
}

async function killAll(): Promise<void> {
  const before = stack.currentPids()
  for (const target of KILLED) process.kill(before[target]!, 'SIGKILL')
  const ready = async () => {
    const now = stack.currentPids()
    return KILLED.every(target => now[target] !== undefined && now[target] !== before[target])
  }
  await until(ready, WAIT_MS, () => `not all are back: ${JSON.stringify(stack.currentPids())}`)
}

test('one identity is delivered once: over REST, gRPC and a stream, and over a restart of all services', async () => {
  await callApi(stack, 'POST', '/v1/webhooks', { url: receiver.url, events: ['once.only'] })
  const sent: Sent[] = [
    { id: 'own', data: 'by its id' },
    { key: 'key', data: 'by its key' },
  ]
  for (const each of sent) await byEveryEdge(each)
  await byRest({ data: 'after' })
  await untilReceived('after')
  expect(received()).toEqual(['after', 'by its id', 'by its key'])
  // Killed before it has recorded what it sent, a deliverer sends that again.
  await untilRecorded(3)

  await killAll()
  for (const each of sent) {
    await until(
      () =>
        byEveryEdge(each).then(
          () => true,
          () => false,
        ),
      WAIT_MS,
    )
  }
  await byRest({ data: 'after the restart' })
  await untilReceived('after the restart')
  expect(received()).toEqual(['after', 'after the restart', 'by its id', 'by its key'])
}, 300_000)

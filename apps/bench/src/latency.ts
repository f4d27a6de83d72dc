import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { EVENT_TYPE, kafkaOf, nowMs, openProducer, payloadOf, recordOf } from './load.js'
import { startReceiver } from './receiver.js'
import { callApi, startStack, type Stack } from '@posthorn/testkit'
import { percentile, printTable, round, type Row } from './table.js'

export interface LatencyOptions {
  readonly rate: number
  readonly seconds: number
  readonly payload: string
}

/** Age of events when the receiver has them, at a steady rate: produced to Kafka, and published over HTTP. */
export async function latency({ rate, seconds, payload: kind }: LatencyOptions): Promise<void> {
  const payload = payloadOf(kind)
  const receiver = await startReceiver()
  const stack = await startStack()
  try {
    await callApi(stack, 'POST', '/v1/webhooks', { url: `${receiver.url}/hook`, events: [EVENT_TYPE] })
    const { produce, close } = await openProducer(kafkaOf(stack.kafka))
    const publish = publisher(stack)
    const ways: readonly [string, (run: string, n: number) => Promise<void>][] = [
      ['produced to Kafka', (run, n) => produce([recordOf(run, n, payload(n))])],
      ['published by HTTP', (_run, n) => publish(payload(n))],
    ]
    const rows: Row[] = []
    for (const [label, send] of ways) {
      await paced(rate, Math.min(5, seconds), n => send(`warm-${randomBytes(4).toString('hex')}`, n))
      await sleep(500)
      await receiver.reset()
      const sent = await paced(rate, seconds, n => send(label.replaceAll(' ', '-'), n))
      await receiver.waitForIds(sent)
      const ages = await receiver.ages()
      rows.push([label, sent, ...[0.5, 0.95, 0.99, 1].map(share => `${round(percentile(ages, share), 1)} ms`)])
    }
    await close()
    console.log(`\nlatency at ${rate}/s for ${seconds} s, payload ${kind}: from sending to receipt\n`)
    printTable(['way in', 'events', 'p50', 'p95', 'p99', 'max'], rows)
  } finally {
    await stack.stop()
    receiver.stop()
  }
}

/** Starts `rate` sends a second, each at its own time and none waiting for another; resolves with their number when all are answered. */
async function paced(rate: number, seconds: number, send: (n: number) => Promise<void>): Promise<number> {
  const total = rate * seconds
  const started = nowMs()
  const open: Promise<void>[] = []
  for (let n = 0; n < total; n++) {
    const wait = started + (n * 1000) / rate - nowMs()
    if (wait > 1) await sleep(wait)
    open.push(send(n))
  }
  await Promise.all(open)
  return total
}

function publisher(stack: Stack): (data: Buffer) => Promise<void> {
  const dispatcher = new Agent({ connections: 32 })
  const headers = { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' }
  return async data => {
    const body = Buffer.concat([Buffer.from(`{"type":"${EVENT_TYPE}","data":`), data, Buffer.from('}')])
    const answer = await request(`${stack.publish}/v1/publish`, { method: 'POST', dispatcher, headers, body })
    if (answer.statusCode !== 202) throw new Error(`publish answered ${answer.statusCode}: ${await answer.body.text()}`)
    await answer.body.dump()
  }
}

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { CASES, data, type Measured, type Order } from './matching-case.js'
import { megabytes, perSecond, printTable, round, type Row } from './table.js'

/**
 * The time it takes to find the webhooks of one event, its data parsed anew each time, among webhooks
 * of one tenant and one event type of which exactly one matches; and the same by trying one after
 * another. No Kafka: this is the part of the router that could grow with the webhooks. Each case has
 * a thread of its own, as a router has: what one leaves to the compiler and the heap slows no other.
 */
export async function matching({ events }: { readonly events: number }): Promise<void> {
  console.log(`\nmatching: one event of ${data.length} bytes, one webhook matches\n`)
  const rows: Row[] = []
  for (const [number, { label, webhooks }] of CASES.entries()) {
    const { indexUs, scanUs, bytes, readyMs } = await measured({ number, events })
    rows.push([
      webhooks.toLocaleString('en-US'),
      label,
      `${round(indexUs, 1)} µs`,
      perSecond(1e6 / indexUs),
      `${round(scanUs, 1)} µs`,
      `${round(scanUs / indexUs, 1)}×`,
      megabytes(bytes),
      `${round(readyMs)} ms`,
    ])
  }
  printTable(['webhooks', 'filters', 'per event', 'events', 'one after another', 'faster', 'memory', 'ready in'], rows)
}

async function measured(order: Order): Promise<Measured> {
  const worker = new Worker(new URL('./matching-case.js', import.meta.url), { workerData: order })
  const [result] = (await once(worker, 'message')) as [Measured]
  return result
}

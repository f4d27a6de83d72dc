import type { ReceiverAnswer } from '@posthorn/testkit'
import { settle, type Result } from './result.js'
import type { Site } from './site.js'

const WEBHOOKS = 4
const PER_SECOND = 250

/** Every delivery fails once, a third of them twice; some failures say when to come back, in three ways. */
export async function retryEach(site: Site, events: number): Promise<Result> {
  const run = await site.open({
    name: 'retries',
    webhooks: WEBHOOKS,
    retryPolicy: { interval_ms: 1500, factor: 1.5, jitter: 0.5, timeout_ms: 60_000 },
    answer: (delivery, nth) => failure(delivery, nth) ?? { status: 200 },
  })
  return settle(site, run, await run.produce(events, PER_SECOND))
}

/** 500 leaves the time to the policy; 503 and 429 name it, as seconds or as a date, and hold up the whole webhook. */
function failure(delivery: string, nth: number): ReceiverAnswer | undefined {
  const seed = delivery.charCodeAt(delivery.length - 2)
  if (nth > (seed % 3 === 0 ? 2 : 1)) return undefined
  // One of 8 or so, by the third letter from the end: each stops a webhook for as long as it asks for.
  if (delivery.charCodeAt(delivery.length - 3) % 8 !== 0) return { status: 500 }
  const seconds = 1 + (seed % 2)
  switch (seed % 5) {
    case 0:
      return { status: 503, headers: { 'retry-after': String(seconds) } }
    case 1:
      return { status: 429, headers: { 'retry-after': String(seconds) } }
    case 2:
      return { status: 503, headers: { 'retry-after': new Date(Date.now() + seconds * 1000).toUTCString() } }
    default:
      return { status: 500 }
  }
}

import { settle, type Result } from './result.js'
import { isTenth, PATIENT, type Site } from './site.js'

/** Nothing is done to any process: each delivery arrives once, and again only where its first answer was a failure. */
export async function leaveAlone(site: Site, events: number, perSecond: number): Promise<Result> {
  const run = await site.open({
    name: 'calm',
    webhooks: 4,
    retryPolicy: PATIENT,
    answer: (delivery, nth) => ({ status: nth === 1 && isTenth(delivery) ? 500 : 200 }),
  })
  return settle(site, run, await run.produce(events, perSecond))
}

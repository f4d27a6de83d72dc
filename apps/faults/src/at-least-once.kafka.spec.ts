import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { answerOf, createApiClient } from '@posthorn/api/client'
import { until } from '@posthorn/testkit'
import { deliveryId } from '@posthorn/webhook'
import { leaveAlone } from './calm.js'
import { changeWebhooks, reportOfChanges } from './changes.js'
import { diskFull, stopped, takeDatabaseAway } from './database-away.js'
import { freeze, MOST_IN_FLIGHT } from './frozen.js'
import { killAtRandom, VICTIMS } from './kills.js'
import { brokenInOrder, keepOrder } from './order.js'
import { brokenIn, reportOf, type Result } from './result.js'
import { retryEach } from './retries.js'
import { brokenInRolling, rollAll } from './rolling.js'
import { Site } from './site.js'

let site: Site

beforeAll(async () => {
  site = await Site.start()
}, 120_000)

afterAll(() => site?.stop(), 60_000)

function told(title: string, result: Result): Result {
  process.stderr.write(`${reportOf(title, result)}\n`)
  return result
}

describe('at least once', () => {
  it('S2 routes an event published right after the 201 to the new webhook', async () => {
    const { stack, receiver } = site
    const [api, ingest] = [stack.api, stack.publish].map(url => createApiClient({ url, key: stack.key }))
    const ids: string[] = []
    for (let n = 0; n < 20; n++) {
      const body = { url: `${receiver.url}/new`, events: [`new.${n}`] }
      const { id } = await answerOf(api!.POST('/v1/webhooks', { body }))
      const event = { id: `new-${n}`, source: '/faults', type: `new.${n}`, data: n }
      await answerOf(ingest!.POST('/v1/publish', { body: event }))
      ids.push(deliveryId({ tenant: 'default', source: '/faults', id: `new-${n}` }, id))
    }
    const came = () => new Set(receiver.requests.map(({ headers }) => headers['webhook-id']))
    const missing = () => ids.filter(id => !came().has(id)).length
    await until(
      () => missing() === 0,
      30_000,
      () => `${missing()} of 20 were not routed`,
    )
  }, 60_000)

  it('S4 delivers 20,000 events of a plain producer, each once', async () => {
    const result = told('calm', await leaveAlone(site, 20_000, 5000))
    expect(brokenIn(result)).toEqual([])
    expect(result.audit.inFlight).toBe(0)
  }, 300_000)

  it('S5 sends none of 1,000 retries before its due time', async () => {
    const result = told('retries', await retryEach(site, 1000))
    expect(brokenIn(result)).toEqual([])
    expect(result.audit.inFlight).toBe(0)
    expect(result.audit.retryLateness.length).toBeGreaterThan(1000)
  }, 120_000)

  it('S10 repeats only what was in flight, and loses nothing, while services are killed with -9 at random', async () => {
    const least = 3
    const result = told('kills', await killAtRandom(site, { events: 50_000, kills: 36, seconds: 70, least }))
    expect(brokenIn(result)).toEqual([])
    for (const victim of VICTIMS)
      expect(result.faults.filter(({ target }) => target === victim).length).toBeGreaterThanOrEqual(least)
  }, 400_000)

  it('S10 sends nothing twice that was not in flight when a deliverer and a router are frozen past their session', async () => {
    const result = await freeze(site)
    told(`frozen; ${result.meanwhile} requests meanwhile`, result)
    expect(brokenIn(result)).toEqual([])
    expect(result.commitsBack).toEqual([])
    expect(result.meanwhile).toBeGreaterThan(0)
    expect(result.audit.inFlight).toBeGreaterThan(0)
    expect(result.audit.inFlight).toBeLessThanOrEqual(MOST_IN_FLIGHT)
  }, 200_000)

  it.each([
    ['is away for 30 s', 30, stopped],
    ['has a full disk for 15 s', 15, diskFull],
  ])(
    'S10 delivers while Postgres %s, and its history is complete afterwards',
    async (what, seconds, outage) => {
      const result = await takeDatabaseAway(site, seconds, outage)
      const rates = `${result.before.toFixed(0)} requests/s before, ${result.meanwhile.toFixed(0)} meanwhile`
      told(`Postgres ${what}; ${rates}, ${result.gaps.length} gaps in the history`, result)
      expect(brokenIn(result)).toEqual([])
      expect(result.audit.inFlight).toBe(0)
      expect(result.gaps).toEqual([])
      expect(result.meanwhile).toBeGreaterThan(result.before / 2)
      expect(result.refused > 0).toBe(outage === diskFull)
    },
    200_000,
  )

  it('S10 repeats nothing and refuses nobody while ingest, router and deliverers are replaced one by one', async () => {
    const result = await rollAll(site, { rounds: 1, targets: ['ingest', 'router', 'deliverer'] })
    told(`rolling (${result.replaced.join(', ')})`, result)
    expect([...brokenIn(result), ...brokenInRolling(result)]).toEqual([])
    expect(result.faults).toEqual([])
    expect(result.audit.retryLateness.length).toBeGreaterThan(0)
  }, 400_000)

  it('keeps first arrivals of a key in order over kills, freezes, rebalances, pauses and failures', async () => {
    const result = await keepOrder(site, 1)
    told(`order (${result.sequences} keys)`, result)
    expect([...brokenIn(result), ...brokenInOrder(result)]).toEqual([])
    expect(result.faults.filter(({ what }) => what === 'killed')).toHaveLength(2)
  }, 400_000)

  it('S2 loses none of 1,000 changes of webhooks when registry or Postgres is killed before their publication', async () => {
    const result = await changeWebhooks(site, 100)
    process.stderr.write(`${reportOfChanges(result)}\n`)
    expect(result.broken).toEqual([])
    expect(result).toMatchObject({ changes: 1000, readers: { router: 2, deliverer: 2 } })
    expect(result.interruptions.every(({ deletions }) => deletions > 0)).toBe(true)
    expect(result.deliveries).toBeGreaterThan(0)
  }, 200_000)
})

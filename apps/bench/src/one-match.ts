import type { ApiSchemas } from '@posthorn/api/client'
import { burst, type Load } from './drive.js'
import { EVENT_TYPE, type Payload } from './load.js'
import { measure, type Measured } from './measure.js'
import { answered, apiOf, onPlatform, register, type Platform } from './platform.js'
import { printPairs } from './spread.js'

export interface OneMatchOptions {
  readonly events: number
  /** Of the tenant that has many. */
  readonly webhooks: number
  /** Runs for the tenant with one webhook and for the one with many, in turns. */
  readonly pairs: number
}

const WANTED = 7
/** 1 KiB that webhook number 7 wants. */
const payload: Payload = n => Buffer.from(`{"who":"w${WANTED}","n":${n},"filler":"${'x'.repeat(980)}"}`)

/** Deliveries per second of events that one webhook of a tenant wants, among many on the same type, relative to a tenant that has only that one. */
export function oneMatch({ events, webhooks, pairs }: OneMatchOptions): Promise<void> {
  const count = Math.max(webhooks, WANTED + 1)
  return onPlatform(async platform => {
    const alone = await tenantOf(platform, 'alone', 1, WANTED)
    const among = await tenantOf(platform, 'among', count, 0)
    for (const load of [alone, among]) await burst(platform, Math.min(5000, events), load)
    const measured: (readonly [Measured, Measured])[] = []
    for (let pair = 0; pair < pairs; pair++)
      measured.push([
        await measure(platform, events, () => burst(platform, events, alone)),
        await measure(platform, events, () => burst(platform, events, among)),
      ])
    console.log(`\none match: ${events.toLocaleString('en-US')} events of 1 KiB, history written\n`)
    printPairs(['one webhook', `one match among ${count}`], measured)
  })
}

/** A tenant whose webhooks each want the events of one number, from `first` on. */
async function tenantOf(platform: Platform, tenant: string, webhooks: number, first: number): Promise<Load> {
  const body = { id: tenant } as ApiSchemas['CreateTenantBody']
  await answered(apiOf(platform).POST('/v1/tenants', { body }))
  await register(platform, webhooks, n => ({
    tenant,
    path: `/hook/${first + n}`,
    events: [EVENT_TYPE],
    filter: { data: { who: [`w${first + n}`] } },
  }))
  return { payload, wayOf: () => ({ tenant, type: EVENT_TYPE }) }
}

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { queryDatabase, type Stack } from '@posthorn/testkit'
import { burst, type Load } from './drive.js'
import { payloadOf } from './load.js'
import { historyCaughtUp } from './measure.js'
import { onPlatform, register, type Platform } from './platform.js'
import { printTable, round, type Row } from './table.js'

export interface BytesOptions {
  readonly events: number
  readonly payload: string
}

/** Bytes by place: a topic without its prefix, a table with its indexes, or Postgres's log of changes. */
type Sizes = ReadonlyMap<string, number>

/** What a delivery takes on the topics and in Postgres, when it arrives at once and when it does at the second attempt. */
export function bytes({ events, payload: kind }: BytesOptions): Promise<void> {
  const payload = payloadOf(kind)
  return onPlatform(async platform => {
    await register(platform, 1, () => ({ path: '/hook', events: ['bench.once'] }))
    await register(platform, 1, () => ({ path: '/fail-once', events: ['bench.again'] }))
    await register(platform, 10, n => ({ path: `/hook/${n}`, events: ['bench.fan'] }))
    const once = await grownBy(platform, events, { payload, wayOf: () => ({ type: 'bench.once' }) })
    const again = await grownBy(platform, events, { payload, wayOf: () => ({ type: 'bench.again' }) })
    const fan = await grownBy(platform, Math.ceil(events / 10), { payload, wayOf: () => ({ type: 'bench.fan' }) }, 10)
    const places = [...new Set([once, again, fan].flatMap(sizes => [...sizes.keys()]))].sort()
    const of = (sizes: Sizes, place: string) => round(sizes.get(place) ?? 0)
    console.log(`\nbytes for each delivery: ${events.toLocaleString('en-US')} deliveries, payload ${kind}\n`)
    printTable(
      ['place', 'delivered at once', 'at the second attempt', 'one event to ten webhooks'],
      places.map((place): Row => [place, of(once, place), of(again, place), of(fan, place)]),
    )
  })
}

/** Bytes for each delivery by place, where there are any. */
async function grownBy(platform: Platform, events: number, load: Load, deliveriesEach = 1): Promise<Sizes> {
  const before = await sizesOf(platform.stack)
  await burst(platform, events, load, deliveriesEach)
  await historyCaughtUp(platform.kafka)
  const after = await sizesOf(platform.stack)
  const grown = [...after].map(([place, size]) => {
    return [place, (size - (before.get(place) ?? 0)) / (events * deliveriesEach)] as const
  })
  return new Map(grown.filter(([, size]) => size >= 1))
}

async function sizesOf(stack: Stack): Promise<Sizes> {
  const tables = await queryDatabase<{ place: string; size: string }>(
    stack.postgres,
    `select 'Postgres: ' || c.relname as place, sum(pg_total_relation_size(t.relid)) as size
       from pg_class c, pg_partition_tree(c.oid) t where c.relkind = 'p' and c.relname like 'history_%' group by 1
     union all select 'Postgres: log of changes', pg_current_wal_lsn() - '0/0'`,
  )
  return new Map([...tables.map(({ place, size }) => [place, Number(size)] as const), ...topicSizes(stack.dir)])
}

const PARTITION = /^posthorn\.(.+)\.v1-\d+$/

/** Of the segments alone: their indexes are files with room that is not used yet. */
function topicSizes(dir: string): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const topic = PARTITION.exec(entry.parentPath.slice(entry.parentPath.lastIndexOf('/') + 1))?.[1]
    if (topic === undefined || !entry.name.endsWith('.log')) continue
    const place = `topic ${topic}`
    sizes.set(place, (sizes.get(place) ?? 0) + statSync(join(entry.parentPath, entry.name)).size)
  }
  return sizes
}

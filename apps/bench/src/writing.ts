import { setTimeout as sleep } from 'node:timers/promises'
import { queryDatabase, until } from '@posthorn/testkit'
import { burst } from './drive.js'
import { EVENT_TYPE, payloadOf } from './load.js'
import { historyCaughtUp, measure, type Measured } from './measure.js'
import { onPlatform, register, type Platform } from './platform.js'
import { printPairs } from './spread.js'

export interface WritingOptions {
  readonly events: number
  /** Runs with the indexes and without them, in turns. */
  readonly pairs: number
}

const LOAD = { payload: payloadOf('1k') }
const LOOK_MS = 50
const STUCK_MS = 120_000
/** An event, a delivery and an attempt. */
const ROWS_EACH = 3

/**
 * Rows/s that the monitor writes of a backlog of deliveries made while it is frozen, with the indexes that
 * only reading needs and without them. All other processes are idle meanwhile.
 */
export function writing({ events, pairs }: WritingOptions): Promise<void> {
  return onPlatform(async platform => {
    await register(platform, 1, () => ({ path: '/hook', events: [EVENT_TYPE] }))
    await backlog(platform, Math.min(5000, events))
    const indexes = await readIndexes(platform)
    const found: (readonly [Measured, Measured])[] = []
    for (let pair = 0; pair < pairs; pair++) {
      const indexed = await backlog(platform, events)
      for (const { name } of indexes) await queryDatabase(platform.stack.postgres, `drop index ${name}`)
      const bare = await backlog(platform, events)
      for (const { definition } of indexes) await queryDatabase(platform.stack.postgres, definition)
      found.push([indexed, bare])
    }
    console.log(
      `\nwriting history: ${(events * ROWS_EACH).toLocaleString('en-US')} rows of ${events.toLocaleString('en-US')} deliveries, ${indexes.length} indexes for reading\n`,
    )
    printPairs(['with them', 'without'], found)
  })
}

/** Makes deliveries while the monitor is frozen, then lets it write them: the rate is that of rows. */
async function backlog(platform: Platform, events: number): Promise<Measured> {
  const { stack, kafka } = platform
  const monitor = stack.pids.monitor!
  await historyCaughtUp(kafka)
  const before = await offsets(platform)
  process.kill(monitor, 'SIGSTOP')
  try {
    await burst(platform, events, LOAD)
    // The last attempts are on their way to the topic.
    await sleep(1000)
    return await measure(platform, events, async () => {
      process.kill(monitor, 'SIGCONT')
      return rowsPerSecond(platform, before, before + events * ROWS_EACH)
    })
  } finally {
    process.kill(monitor, 'SIGCONT')
  }
}

/** From the first look that finds something written until all is. */
async function rowsPerSecond(platform: Platform, before: number, wanted: number): Promise<number> {
  let first: { readonly at: number; readonly written: number } | undefined
  let written = before
  await until(
    async () => {
      await sleep(LOOK_MS)
      written = await offsets(platform)
      if (written > before) first ??= { at: performance.now(), written }
      return written >= wanted
    },
    STUCK_MS,
    () => `the monitor has written ${written - before} of ${wanted - before} records`,
  )
  return ((written - first!.written) / (performance.now() - first!.at)) * 1000
}

/** How many records are in the history, of all its topics. */
async function offsets({ stack }: Platform): Promise<number> {
  const rows = await queryDatabase<{ sum: string | null }>(
    stack.postgres,
    'select sum(next_offset) as sum from history_offsets',
  )
  return Number(rows[0]!.sum ?? 0)
}

interface ReadIndex {
  readonly name: string
  readonly definition: string
}

/** All but the keys: nothing that writes looks anything up in them. */
function readIndexes({ stack }: Platform): Promise<readonly ReadIndex[]> {
  return queryDatabase<ReadIndex & Record<string, unknown>>(
    stack.postgres,
    `select indexrelid::regclass::text as name, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') as definition
       from pg_index
      where indrelid in ('history_events'::regclass, 'history_deliveries'::regclass, 'history_attempts'::regclass)
        and not indisprimary`,
  )
}

import { queryDatabase, startStack, type Stack } from '@posthorn/testkit'
import { DAYS, fillHistory, TENANT } from './reading-fill.js'
import { megabytes, percentile, printTable, round, type Row } from './table.js'

/** How often each page is asked for. */
const REPEATS = 30
const PAGE = 50
/** No event of this type is for webhook_0: what is sifted out of its rows is nothing, which is the dearest. */
const nothing = 'event_type=bench.type7'
const common = 'webhook=webhook_0'

/** Lists with the filters that they are asked with. */
const LISTS: readonly (readonly [label: string, path: string])[] = [
  ['events', 'events?'],
  ['events of a type', 'events?type=bench.type7'],
  ['deliveries', 'deliveries?'],
  ['deliveries of a webhook', `deliveries?${common}`],
  ['deliveries of a type', 'deliveries?event_type=bench.type7'],
  ['deliveries of a webhook at a status', `deliveries?${common}&status=exhausted`],
  ['deliveries of a webhook and a type (sifted)', `deliveries?${common}&${nothing}`],
  ['dead letters', 'dead-letters?'],
  ['attempts', 'attempts?'],
  ['attempts of a webhook', `attempts?${common}`],
  ['attempts of a webhook and a type (sifted)', `attempts?${common}&${nothing}`],
]
const STATS: readonly (readonly [label: string, path: string])[] = [
  ['statistics of the tenant, 7 days by hours', `stats?step=hour&from=${daysAgo(7)}`],
  ['statistics of a webhook, 7 days by hours', `stats?${common}&step=hour&from=${daysAgo(7)}`],
]

/** Time of each list over HTTP, at its first page and behind the middle of all rows, and of statistics. */
export async function reading({ rows }: { readonly rows: number }): Promise<void> {
  const stack = await startStack()
  try {
    const startedAt = performance.now()
    await fillHistory(stack.postgres, rows)
    const filled = round((performance.now() - startedAt) / 1000)
    const count = rows.toLocaleString('en-US')
    const size = megabytes(await databaseSize(stack))
    console.log(
      `\nreading: ${count} events, deliveries and attempts each over ${DAYS} days, filled in ${filled} s, ${size}\n`,
    )
    const table: Row[] = []
    for (const [label, path] of LISTS) {
      table.push([label, 'first', ...(await timed(stack, `${path}&limit=${PAGE}`))])
      table.push([label, 'deep', ...(await timed(stack, `${path}&limit=${PAGE}&to=${daysAgo(DAYS / 2)}`, true))])
    }
    for (const [label, path] of STATS) table.push([label, '', ...(await timed(stack, path))])
    printTable(['list', 'page', 'p50', 'p99'], table)
  } finally {
    await stack.stop()
  }
}

/** How long the answers took; a deep page is the one behind the cursor that a page of the middle gave. */
async function timed(stack: Stack, path: string, behind = false): Promise<[string, string]> {
  const cursor = behind ? ((await get(stack, path)) as { next_cursor: string | null }).next_cursor : null
  const asked = cursor === null ? path : `${path}&cursor=${cursor}`
  const times: number[] = []
  for (let n = 0; n < REPEATS; n++) {
    const startedAt = performance.now()
    await get(stack, asked)
    times.push(performance.now() - startedAt)
  }
  return [`${round(percentile(times, 0.5), 1)} ms`, `${round(percentile(times, 0.99), 1)} ms`]
}

async function databaseSize({ postgres }: Stack): Promise<number> {
  const rows = await queryDatabase<{ size: string }>(postgres, 'select pg_database_size(current_database()) as size')
  return Number(rows[0]!.size)
}

async function get({ api, key }: Stack, path: string): Promise<unknown> {
  const response = await fetch(`${api}/v1/${path}`, {
    headers: { authorization: `Bearer ${key}`, 'posthorn-tenant': TENANT },
  })
  if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${await response.text()}`)
  return response.json()
}

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 24 * 3600_000).toISOString()
}

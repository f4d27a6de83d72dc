import { callApi, queryDatabase, type Stack } from '@posthorn/testkit'
import type { Recorded } from './ledger.js'

interface Page {
  readonly data: readonly { readonly id: string; readonly status: string; readonly attempts_made: number }[]
  readonly next_cursor: string | null
}

const PAGE = 250

/**
 * What the history does not say or says wrongly, by the API and the table of attempts: each
 * delivery has to be there as delivered, and each attempt of attempts.v1 once.
 */
export async function gapsInHistory(
  stack: Stack,
  webhooks: readonly string[],
  deliveries: readonly string[],
  records: readonly Recorded[],
): Promise<readonly string[]> {
  const wanted = new Set(deliveries)
  const attempts = new Map<string, Set<number>>(deliveries.map(id => [id, new Set()]))
  for (const { attempt } of records) attempts.get(attempt.delivery)?.add(attempt.attempt)
  const gaps: string[] = []
  for (const webhook of webhooks)
    for await (const { id, status, attempts_made } of listed(stack, webhook)) {
      wanted.delete(id)
      const made = Math.max(...(attempts.get(id) ?? []))
      if (status !== 'delivered' || attempts_made !== made)
        gaps.push(`delivery ${id} is ${status} after ${attempts_made} attempts, and was delivered by number ${made}`)
    }
  for (const id of wanted) gaps.push(`delivery ${id} is not listed`)
  const rows = await queryDatabase<{ delivery: string; attempt: number }>(
    stack.postgres,
    'select delivery, attempt from history_attempts where webhook = any($1)',
    [webhooks],
  )
  for (const { delivery, attempt } of rows)
    if (attempts.get(delivery)?.delete(attempt) !== true) gaps.push(`attempt ${delivery}/${attempt} is there twice`)
  for (const [delivery, left] of attempts)
    for (const attempt of left) gaps.push(`attempt ${delivery}/${attempt} is not in the table`)
  return gaps
}

async function* listed(stack: Stack, webhook: string) {
  for (let cursor: string | null = ''; cursor !== null;) {
    const from: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page = (await callApi(stack, 'GET', `/v1/deliveries?webhook=${webhook}&limit=${PAGE}${from}`)) as Page
    yield* page.data
    cursor = page.next_cursor
  }
}

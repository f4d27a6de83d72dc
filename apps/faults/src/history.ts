import { answerOf, createApiClient } from '@posthorn/api/client'
import { queryDatabase, type Stack } from '@posthorn/testkit'
import type { Recorded } from './ledger.js'

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

async function* listed({ api: url, key }: Stack, webhook: string) {
  const api = createApiClient({ url, key })
  let cursor: string | undefined
  do {
    const query = { webhook, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) }
    const page = await answerOf(api.GET('/v1/deliveries', { params: { query } }))
    yield* page.data
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
}

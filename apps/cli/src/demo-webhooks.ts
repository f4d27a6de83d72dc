import type { ApiClient } from './api-client.js'

interface DemoWebhook {
  readonly path: string
  readonly events: readonly string[]
  readonly retry_policy?: object
}

/** By this an earlier start's webhooks are known. */
const DESCRIPTION = 'npm start: demonstration'

/** The first shows everything, the second a failure: its receiver answers 500 twice before it takes an event. */
export const DEMO_WEBHOOKS: readonly DemoWebhook[] = [
  { path: '/hook', events: ['*'] },
  { path: '/fail?times=2', events: ['agent.error'], retry_policy: { interval_ms: 1000, factor: 2, jitter: 0 } },
]

interface Page {
  readonly data: readonly { readonly id: string; readonly description: string | null }[]
  readonly next_cursor: string | null
}

/** Replaces the webhooks of an earlier start: the receiver's port may be another one now. */
export async function registerDemoWebhooks(api: ApiClient, receiverUrl: string, secret: string): Promise<void> {
  for (const id of await earlier(api)) await api.call('DELETE', `/v1/webhooks/${id}`)
  for (const { path, ...rest } of DEMO_WEBHOOKS)
    await api.call('POST', '/v1/webhooks', { ...rest, url: receiverUrl + path, secret, description: DESCRIPTION })
}

async function earlier(api: ApiClient): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | null = null
  do {
    const query: string = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`
    const page: Page = await api.call('GET', `/v1/webhooks${query}`)
    for (const { id, description } of page.data) if (description === DESCRIPTION) ids.push(id)
    cursor = page.next_cursor
  } while (cursor !== null)
  return ids
}

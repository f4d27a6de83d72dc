import { answerOf, createApiClient, type ApiClient } from '@posthorn/api/client'
import type { StackInfo } from './run-file.js'

interface DemoWebhook {
  readonly path: string
  readonly events: string[]
  readonly retry_policy?: object
}

/** By this an earlier start's webhooks are known. */
const DESCRIPTION = 'npm start: demonstration'

/** The first shows everything, the second a failure: its receiver answers 500 twice before it takes an event. */
export const DEMO_WEBHOOKS: readonly DemoWebhook[] = [
  { path: '/hook', events: ['*'] },
  { path: '/fail?times=2', events: ['agent.error'], retry_policy: { interval_ms: 1000, factor: 2, jitter: 0 } },
]

/** Replaces the webhooks of an earlier start: the receiver's port may be another one now. */
export async function registerDemoWebhooks(
  { api: url, key }: Pick<StackInfo, 'api' | 'key'>,
  receiverUrl: string,
  secret: string,
): Promise<void> {
  const api = createApiClient({ url, key })
  for (const id of await earlier(api)) await answerOf(api.DELETE('/v1/webhooks/{id}', { params: { path: { id } } }))
  for (const { path, ...rest } of DEMO_WEBHOOKS) {
    const body = { ...rest, url: receiverUrl + path, secret, description: DESCRIPTION }
    await answerOf(api.POST('/v1/webhooks', { body }))
  }
}

async function earlier(api: ApiClient): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const query = cursor === undefined ? {} : { cursor }
    const page = await answerOf(api.GET('/v1/webhooks', { params: { query } }))
    for (const { id, description } of page.data) if (description === DESCRIPTION) ids.push(id)
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
  return ids
}

import { setTimeout as sleep } from 'node:timers/promises'
import { createApiClient } from '@posthorn/api/client'
import type { Stack } from '@posthorn/testkit'

/** One place of the receiver, and the webhooks that deliver to it one after the other. */
export interface Slot {
  readonly n: number
  /** Of events for it. */
  readonly type: string
  /** What was answered last; a deleted one stays here. */
  readonly ended: WebhookNow
  /** The one before, which was deleted. */
  readonly before: WebhookNow
}

export interface WebhookNow {
  readonly id: string
  readonly status: 'active' | 'disabled' | 'deleted'
  readonly url: string
  /** Changes that were answered: its version, or less where the relay had to publish it again. */
  readonly changes: number
}

/** Changes of one slot. */
export const CHANGES = 10
const AT_ONCE = 8
const AGAIN_AFTER_MS = 100
const ANSWERED_WITHIN_MS = 60_000

/** What the changes of a slot need. */
interface Registry {
  readonly stack: Pick<Stack, 'api' | 'key'>
  readonly receiver: string
  changed(): void
}

export const typeOf = (slot: number) => `change.${slot}`

/**
 * Makes ten changes in each slot, some slots at a time; each is sent again until it is answered.
 * Of three slots one ends with an active webhook, one with a deleted and one with a disabled one.
 */
export async function changeAll(slots: number, registry: Registry): Promise<readonly Slot[]> {
  const done: Slot[] = []
  let next = 0
  const work = async () => {
    while (next < slots) done.push(await changeSlot(next++, registry))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return done
}

async function changeSlot(n: number, { stack, receiver, changed }: Registry): Promise<Slot> {
  const api = createApiClient({ url: stack.api, key: stack.key, timeoutMs: ANSWERED_WITHIN_MS })
  const type = typeOf(n)
  const url = (change: number) => `${receiver}/changes/${n}/${change}`
  const path = (id: string) => ({ params: { path: { id } } })
  const make = async (call: () => Call, sentBefore?: number) => {
    const made = await answered(call, sentBefore)
    changed()
    return made
  }
  const create = async (change: number) => {
    const body = { url: url(change), events: [type] }
    const params = { path: { uid: type } }
    return (await make(() => api.PUT('/v1/webhooks/by-uid/{uid}', { params, body }))) as { readonly id: string }
  }
  const move = (id: string, change: number) =>
    make(() => api.PATCH('/v1/webhooks/{id}', { ...path(id), body: { url: url(change) } }))
  const disable = (id: string) => make(() => api.POST('/v1/webhooks/{id}/disable', path(id)))
  const enable = (id: string) => make(() => api.POST('/v1/webhooks/{id}/enable', path(id)))
  const remove = (id: string) => make(() => api.DELETE('/v1/webhooks/{id}', path(id)), 404)

  const end = async (id: string, kind: number): Promise<Pick<WebhookNow, 'status' | 'url'>> => {
    if (kind === 0) await enable(id)
    else if (kind === 1) await remove(id)
    else await move(id, 9)
    return [
      { status: 'active', url: url(7) } as const,
      { status: 'deleted', url: url(7) } as const,
      { status: 'disabled', url: url(9) } as const,
    ][kind]!
  }
  const first = await create(0)
  await move(first.id, 1)
  await disable(first.id)
  await enable(first.id)
  await move(first.id, 4)
  await remove(first.id)
  const { id } = await create(6)
  await move(id, 7)
  await disable(id)
  const last = await end(id, n % 3)
  const before = { id: first.id, status: 'deleted', url: url(4), changes: 6 } as const
  return { n, type, before, ended: { id, changes: 4, ...last } }
}

type Call = Promise<{ readonly data?: unknown; readonly error?: unknown; readonly response: Response }>

/**
 * Sends a change until it is answered: none is different when it is made twice. Resolves with the answer.
 * `sentBefore` is the status of one that was made already, and whose answer was lost.
 */
async function answered(call: () => Call, sentBefore?: number): Promise<unknown> {
  const deadline = performance.now() + ANSWERED_WITHIN_MS
  for (let again = false; ; again = true) {
    // What is refused a connection, or broken off, is like a 503.
    const answer = await call().catch(String)
    if (typeof answer !== 'string' && answer.response.ok) return answer.data
    if (again && typeof answer !== 'string' && answer.response.status === sentBefore) return answer.data
    const isAway = typeof answer === 'string' || answer.response.status === 503
    // Anything else blames the change.
    if (!isAway || performance.now() > deadline) throw new Error(`a change was answered: ${JSON.stringify(answer)}`)
    await sleep(AGAIN_AFTER_MS)
  }
}

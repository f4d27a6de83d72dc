import { setTimeout as sleep } from 'node:timers/promises'
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

async function changeSlot(n: number, registry: Registry): Promise<Slot> {
  const type = typeOf(n)
  const url = (change: number) => `${registry.receiver}/changes/${n}/${change}`
  const create = async (change: number) => {
    const body = { url: url(change), events: [type] }
    return (await answered(registry, 'PUT', `/v1/webhooks/by-uid/${type}`, body)) as { id: string }
  }
  const move = (id: string, change: number) =>
    answered(registry, 'PATCH', `/v1/webhooks/${id}`, { url: url(change) }, 'application/merge-patch+json')
  const disable = (id: string) => answered(registry, 'POST', `/v1/webhooks/${id}/disable`)
  const enable = (id: string) => answered(registry, 'POST', `/v1/webhooks/${id}/enable`)
  const remove = (id: string) => answered(registry, 'DELETE', `/v1/webhooks/${id}`)

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

/** Sends a change until it is answered: none is different when it is made twice. */
async function answered(
  { stack, changed }: Registry,
  method: string,
  path: string,
  body?: object,
  type = 'application/json',
): Promise<unknown> {
  const deadline = performance.now() + ANSWERED_WITHIN_MS
  for (let again = false; ; again = true) {
    const answer = await tried(`${stack.api}${path}`, method, {
      headers: { authorization: `Bearer ${stack.key}`, ...(body && { 'content-type': type }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    const isDone =
      (answer.status >= 200 && answer.status < 300) || (again && method === 'DELETE' && answer.status === 404)
    if (isDone) {
      changed()
      return answer.text === '' ? undefined : JSON.parse(answer.text)
    }
    // 503 or 0, where the connection was refused or broken off: anything else blames the change.
    if (![0, 503].includes(answer.status) || performance.now() > deadline)
      throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text}`)
    await sleep(AGAIN_AFTER_MS)
  }
}

async function tried(url: string, method: string, init: RequestInit): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { method, ...init })
    return { status: response.status, text: await response.text() }
  } catch (error) {
    return { status: 0, text: String(error) }
  }
}

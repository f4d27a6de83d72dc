import { setTimeout as sleep } from 'node:timers/promises'

/** A broker that has just started or taken over: what it coordinates it knows a moment later, or another one does. */
const SETTLING: ReadonlySet<string | undefined> = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
])
/** 4.5 s together. */
const WAITS_MS = [100, 200, 400, 800, 1000, 1000, 1000]

/**
 * One request to the coordinator of a group, which `ask` has to find anew each time. kafkajs does so for
 * members of a group only. Rejects as `ask` did last.
 */
export async function askCoordinator<T>(ask: () => Promise<T>): Promise<T> {
  for (const wait of WAITS_MS)
    try {
      return await ask()
    } catch (error) {
      if (!SETTLING.has((error as { readonly type?: string }).type)) throw error
      await sleep(wait)
    }
  return ask()
}

import { setTimeout as sleep } from 'node:timers/promises'

const EVERY_MS = 10
/**
 * What a pause and a look count at most. The limit is one of the thing that is waited for: while the machine stood
 * still, or this process got no turn, it had no time either.
 */
const PAUSE_COUNTS_MS = 100
const LOOK_COUNTS_MS = 3000

/** Resolves when the condition holds; rejects after timeoutMs, with what `state` says about it. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  state: () => string = () => 'the condition does not hold',
): Promise<void> {
  let waited = 0
  for (let from = performance.now(); ; from = performance.now()) {
    if (await condition()) return
    if (waited > timeoutMs) throw new Error(`After ${timeoutMs} ms ${state()}`)
    const looked = performance.now()
    await sleep(EVERY_MS)
    waited += Math.min(looked - from, LOOK_COUNTS_MS) + Math.min(performance.now() - looked, PAUSE_COUNTS_MS)
  }
}

import { setTimeout as sleep } from 'node:timers/promises'

const EVERY_MS = 10

/** Resolves when the condition holds; rejects after timeoutMs, with what `state` says about it. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  state: () => string = () => 'the condition does not hold',
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`After ${timeoutMs} ms ${state()}`)
    await sleep(EVERY_MS)
  }
}

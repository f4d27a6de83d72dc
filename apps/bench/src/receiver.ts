import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export interface Counts {
  readonly requests: number
  readonly ids: number
  /** ms since the epoch, with fractions. */
  readonly firstAt: number
  readonly lastAt: number
}

/** The handle on the receiver's process (sink.ts). */
export interface Receiver {
  readonly url: string
  readonly pid: number
  count(): Promise<Counts>
  ages(): Promise<number[]>
  reset(): Promise<void>
  /** Waits until that many different ids have come; throws when none came for a minute. */
  waitForIds(ids: number): Promise<Counts>
  stop(): void
}

export async function startReceiver(): Promise<Receiver> {
  const child = fork(fileURLToPath(new URL('./sink.js', import.meta.url)), { serialization: 'advanced' })
  const answer = <T>() => new Promise<T>(resolve => child.once('message', message => resolve(message as T)))
  const ask = <T>(question: string) => {
    const answered = answer<T>()
    child.send(question)
    return answered
  }
  const { port } = await answer<{ port: number }>()
  const count = () => ask<Counts>('count')
  const waitForIds = async (ids: number) => {
    for (let last = -1, since = Date.now(); ; await sleep(50)) {
      const counts = await count()
      if (counts.ids >= ids) return counts
      if (counts.ids !== last) [last, since] = [counts.ids, Date.now()]
      else if (Date.now() - since > 60_000)
        throw new Error(`only ${counts.ids} of ${ids} deliveries arrived, and none for a minute`)
    }
  }
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    count,
    waitForIds,
    ages: async () => (await ask<{ ages: number[] }>('ages')).ages,
    reset: async () => void (await ask('reset')),
    stop: () => child.disconnect(),
  }
}

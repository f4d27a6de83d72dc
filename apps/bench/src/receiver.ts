import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { IssuedCertificate } from '@posthorn/testkit'

export interface Counts {
  /** Answered with 200. */
  readonly requests: number
  /** Different webhook-ids among them. */
  readonly ids: number
  /** ms since the epoch, with fractions. */
  readonly firstAt: number
  readonly lastAt: number
}

/** What the sink's process is asked; `of` limits a count to a first segment of the path. */
export interface Question {
  readonly ask: 'count' | 'ages' | 'forgetAges' | 'reset' | 'strict' | 'lenient' | 'secure' | 'secured'
  readonly of?: string | undefined
  /** Of secure. */
  readonly certificate?: IssuedCertificate
}

/** The handle on the receiver's process (sink.ts). */
export interface Receiver {
  readonly url: string
  readonly pid: number
  /** Of all that came since the last reset, or to one first segment of the path. */
  count(of?: string): Promise<Counts>
  ages(): Promise<number[]>
  forgetAges(): Promise<void>
  reset(): Promise<void>
  /** Whether /hang and /take do as they are called; what they hold is answered when they no longer do. */
  beStrict(strict: boolean): Promise<void>
  /** Waits until that many different ids have been answered; throws when none came for `quietMs`, a minute unless given. */
  waitForIds(ids: number, of?: string, quietMs?: number): Promise<Counts>
  /** Has it listen for https, too; resolves with that URL. */
  secure(certificate: IssuedCertificate): Promise<string>
  /** Connections by https since the start. */
  securedConnections(): Promise<number>
  stop(): void
}

const QUIET_MS = 60_000

export async function startReceiver(): Promise<Receiver> {
  const child = fork(fileURLToPath(new URL('./sink.js', import.meta.url)), { serialization: 'advanced' })
  const answer = <T>() => new Promise<T>(resolve => child.once('message', message => resolve(message as T)))
  // One question at a time: answers carry no number.
  let last: Promise<unknown> = Promise.resolve()
  const ask = <T>(question: Question): Promise<T> => {
    const asked = last.then(() => {
      const answered = answer<T>()
      child.send(question)
      return answered
    })
    last = asked
    return asked
  }
  const { port } = await answer<{ port: number }>()
  const count = (of?: string) => ask<Counts>({ ask: 'count', of })
  const waitForIds = async (ids: number, of?: string, quietMs = QUIET_MS) => {
    for (let last = -1, since = Date.now(); ; await sleep(50)) {
      const counts = await count(of)
      if (counts.ids >= ids) return counts
      if (counts.ids !== last) [last, since] = [counts.ids, Date.now()]
      else if (Date.now() - since > quietMs)
        throw new Error(`only ${counts.ids} of ${ids} deliveries arrived, and none for ${quietMs / 1000} s`)
    }
  }
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    count,
    waitForIds,
    ages: async () => (await ask<{ ages: number[] }>({ ask: 'ages' })).ages,
    forgetAges: () => ask({ ask: 'forgetAges' }),
    reset: () => ask({ ask: 'reset' }),
    beStrict: strict => ask({ ask: strict ? 'strict' : 'lenient' }),
    secure: async certificate =>
      `https://127.0.0.1:${(await ask<{ port: number }>({ ask: 'secure', certificate })).port}`,
    securedConnections: async () => (await ask<{ connections: number }>({ ask: 'secured' })).connections,
    stop: () => {
      if (child.connected) child.disconnect()
    },
  }
}

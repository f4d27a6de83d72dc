import { setTimeout as sleep } from 'node:timers/promises'
import { queryDatabase, until } from '@posthorn/testkit'
import { send } from './kills.js'
import type { Site } from './site.js'

/** What was committed and not published when a process was killed. */
export interface Interruption {
  readonly victim: string
  readonly changes: number
  readonly deletions: number
}

/** Within this Kafka's controller keeps a broker that says nothing. */
const FROZEN_MS = 8000
const THAWED_MS = 300

const ATTEMPTS = 3

/**
 * Kills a process with -9 while changes of webhooks, a deletion among them, are committed and not
 * published: Kafka stands still for that long, so that the moment between the two is met each time. Tried
 * again some changes later where no deletion was made in that time.
 */
export async function killBetween(site: Site, victim: string): Promise<Interruption> {
  for (let attempt = 1; ; attempt++)
    try {
      return await killWhileFrozen(site, victim)
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      await sleep(THAWED_MS)
    }
}

async function killWhileFrozen(site: Site, victim: string): Promise<Interruption> {
  const { kafka } = site.stack.currentPids()
  send(kafka!, 'SIGSTOP', () => undefined)
  try {
    let found: Omit<Interruption, 'victim'> = { changes: 0, deletions: 0 }
    const isBetween = async () => {
      found = await unpublished(site)
      return found.deletions > 0
    }
    await until(isBetween, FROZEN_MS, () => `of ${found.changes} changes that are not published none is a deletion`)
    if (!send(site.stack.currentPids()[victim]!, 'SIGKILL', () => undefined)) throw new Error(`there is no ${victim}`)
    return { victim, ...found }
  } finally {
    send(kafka!, 'SIGCONT', () => undefined)
  }
}

/** Resolves when every change that was committed is published. */
export async function untilAllPublished(site: Site, timeoutMs: number): Promise<void> {
  let left = Number.NaN
  const isPublished = async () => {
    left = await unpublished(site).then(
      ({ changes }) => changes,
      () => Number.NaN,
    )
    return left === 0
  }
  await until(isPublished, timeoutMs, () => `${left} changes are not published`)
}

async function unpublished({ stack }: Site): Promise<Omit<Interruption, 'victim'>> {
  const [found] = await queryDatabase<{ changes: number; deletions: number }>(
    stack.postgres,
    `select count(*)::int as changes, count(w.deleted_at)::int as deletions
     from outbox o join webhooks w on w.id = o.subject where o.kind = 'webhook'`,
  )
  return found!
}

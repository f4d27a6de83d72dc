import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '@posthorn/testkit'
import type { Admin } from 'kafkajs'
import type { Ledger } from './ledger.js'
import { committedBy, type Committed } from './offsets.js'

const WATCH_EVERY_MS = 50
/** From the group's being stable until its members have heard of it, and have read what their new partitions came to. */
const TAKES_EFFECT_MS = 3000

/**
 * A coordinator that has just started answers by its high watermark, which is up to 5 s old when all
 * brokers were killed, until the others follow it. Posthorn's consumers ask for what is certain
 * (libs/kafka, offset-fetch.ts), kafkajs's admin can not: what it reads then says nothing about commits.
 */
const KAFKA_UNSURE_MS = 10_000

/**
 * Looks at consumer groups all the time, and tries again while Kafka does not answer. A commit for a
 * partition of others would set one back. A rebalance goes into the ledger: a member that lives and
 * loses a partition has requests in flight.
 */
export class GroupWatch {
  private readonly back: { readonly at: number; readonly what: string }[] = []
  private running = true
  private readonly done: Promise<void>

  constructor(
    private readonly admin: Admin,
    private readonly ledger: Ledger,
    private readonly targets: readonly string[],
  ) {
    this.done = Promise.all([this.commits(), ...targets.map(target => this.rebalances(target))]).then(() => undefined)
  }

  /** Resolves with every commit that went back. */
  async stop(): Promise<readonly string[]> {
    this.running = false
    await this.done
    return this.back
      .filter(({ at }) => !this.isUnsureAt(at))
      .map(({ at, what }) => `${new Date(at).toISOString()} ${what}`)
  }

  private isUnsureAt(at: number): boolean {
    const isKafka = (target: string) => target === 'kafka' || target === 'broker'
    return this.ledger.faults.some(
      ({ target, from, to }) => isKafka(target) && from <= at && at <= to + KAFKA_UNSURE_MS,
    )
  }

  private async commits(): Promise<void> {
    let before: Committed = new Map()
    while (this.running) {
      const now = await this.committed().catch(() => before)
      for (const [place, offset] of now)
        if (offset < (before.get(place) ?? 0))
          this.back.push({ at: Date.now(), what: `${place} from ${before.get(place)} to ${offset}` })
      before = now
      await sleep(WATCH_EVERY_MS)
    }
  }

  private async committed(): Promise<Committed> {
    const each = await Promise.all(this.targets.map(target => committedBy(this.admin, target)))
    return new Map(each.flatMap(committed => [...committed]))
  }

  private async rebalances(target: string): Promise<void> {
    let stable: string | undefined
    let stableAt = Date.now()
    while (this.running) {
      const lookedAt = Date.now()
      const state = await stateOf(this.admin, target).catch(() => 'unknown')
      if (state.startsWith('Stable')) {
        if (stable !== undefined && state !== stable)
          this.ledger.fault({ what: 'rebalanced', target, from: stableAt, to: Date.now() + TAKES_EFFECT_MS })
        stable = state
        stableAt = lookedAt
      }
      await sleep(WATCH_EVERY_MS)
    }
  }
}

/** Resolves when the group has so many members, all of them with partitions. */
export async function untilMembers(admin: Admin, target: string, members: number): Promise<void> {
  let state = ''
  const isStable = async () => {
    state = await stateOf(admin, target)
    return state.startsWith('Stable') && state.split(' ').length === 1 + members
  }
  await until(isStable, 60_000, () => `the group of the ${target}s is: ${state}`)
}

/** The group's state and the ids of its members: another text is another generation. */
async function stateOf(admin: Admin, target: string): Promise<string> {
  const { groups } = await admin.describeGroups([`posthorn.${target}`])
  const { state, members } = groups[0]!
  return [state, ...members.map(({ memberId }) => memberId).sort()].join(' ')
}

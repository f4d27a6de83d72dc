import { setTimeout as sleep } from 'node:timers/promises'
import { answerOf, createApiClient } from '@posthorn/api/client'
import { DELIVERIES } from '@posthorn/topics'
import type { Admin } from 'kafkajs'
import { outOfOrder, sequencesIn, type Sequence } from './arrivals.js'
import { GroupWatch, untilMembers } from './group-watch.js'
import { send } from './kills.js'
import { Ledger } from './ledger.js'
import { parkedPlaces } from './parked-places.js'
import { settle, type Result } from './result.js'
import { PATIENT, type Behaviour, type Run, type Site } from './site.js'
import { readLog } from './topic-log.js'

export interface OrderResult extends Result {
  /** Keys of webhooks that were looked at. */
  readonly sequences: number
  /** Whatever came out of order, or stood in the log so. */
  readonly disorder: readonly string[]
  /** Requests of one key while another one was under way, but for those of a process that has just thawed. */
  readonly overlaps: readonly string[]
  /** Places that are parked at the end, although nothing is left to be sent. */
  readonly parked: readonly string[]
  /** Of each key that was parked: deliveries of the webhook's other keys that first arrived meanwhile. */
  readonly meanwhile: readonly number[]
}

const DELIVERER = 'deliverer'
const KEYS = 10
/** Events a second, all loads together. */
const RATE = 90
const SHARES = { key: 3, webhook: 1, parks: 1, free: 1 } as const
type Kind = keyof typeof SHARES
/** Each failure costs a line a second: with more of them the one line of the whole webhook would fall behind its load. */
const FAILURES = { key: 0.15, webhook: 0.03, parks: 0, free: 0.15 } as const
const ALL_SHARES = Object.values(SHARES).reduce((sum, share) => sum + share, 0)
/** About what one round of disturbances takes; what comes later finds it over. */
const ROUND_S = 45
/** Retried in memory for 30 s: with the first attempt later than that the key is parked at once. */
const PARKING = { ...PATIENT, interval_ms: 31_000, jitter: 0 }
/** So many keys of that webhook are parked, by their second delivery. */
export const PARKED = 5
const LONGER_THAN_SESSION_MS = 13_000
const THAW_MS = 1000
/** Long enough that circuits open: 20 failures in a row, over 5 s. */
const DOWN_MS = 8_000

/**
 * Ordered receivers that fail at random, under two deliverers that are killed, frozen, joined and left
 * by others while the webhooks are paused and resumed. Resolves when everything has arrived.
 */
export async function keepOrder(site: Site, rounds: number, name = 'order'): Promise<OrderResult> {
  const ledger = new Ledger()
  const receivers = new Receivers(ledger)
  const open = (kind: Kind, more: Partial<Parameters<Site['open']>[0]>) =>
    site.open({
      name: `${name}-${kind}`,
      webhooks: kind === 'key' ? SHARES.key : 1,
      keys: KEYS,
      retryPolicy: PATIENT,
      ledger,
      answer: receivers.answer,
      ...more,
    })
  const runs: Record<Kind, Run> = {
    key: await open('key', { ordering: 'key' }),
    webhook: await open('webhook', { ordering: 'webhook' }),
    parks: await open('parks', { ordering: 'key', retryPolicy: PARKING }),
    free: await open('free', {}),
  }
  receivers.know(runs, RATE * ROUND_S * rounds)
  const admin = site.kafka.admin()
  await admin.connect()
  const watch = new GroupWatch(admin, ledger, [DELIVERER])
  const webhooks = Object.values(runs).flatMap(run => run.webhooks)
  const scene = { site, admin, ledger, receivers, webhooks, thaws: [] as number[] }
  try {
    const load = Promise.all(
      Object.entries(runs).map(([kind, run]) => {
        const perSecond = (RATE * SHARES[kind as Kind]) / ALL_SHARES
        return run.produce(perSecond * ROUND_S * rounds, perSecond)
      }),
    )
    await disturb(scene, rounds)
    const result = await settle(site, runs.key, (await load).flat())
    const sequences = sequencesIn(await readLog(site.kafka, DELIVERIES)).filter(({ webhook }) =>
      scene.webhooks.includes(webhook),
    )
    return {
      ...result,
      sequences: sequences.length,
      disorder: [...outOfOrder(sequences, ledger), ...receivers.misplaced(sequences)],
      overlaps: receivers.overlaps.filter(({ at }) => !isThawing(scene.thaws, at)).map(({ what }) => what),
      parked: await parkedPlaces(site.kafka, scene.webhooks),
      meanwhile: receivers.meanwhile(),
    }
  } finally {
    await watch.stop()
    await admin.disconnect()
  }
}

/** Everything that answers, and what it knows of the deliveries that are to come. */
class Receivers {
  down = false
  readonly overlaps: { readonly at: number; readonly what: string }[] = []
  /** By delivery: its kind, its number, and what it must not be under way together with. */
  private readonly known = new Map<string, { readonly kind: Kind; readonly n: number; readonly line: string }>()
  private readonly underWay = new Map<string, string>()
  private parks: Run | undefined

  constructor(private readonly ledger: Ledger) {}

  know(runs: Readonly<Record<Kind, Run>>, most: number): void {
    this.parks = runs.parks
    for (const [kind, run] of Object.entries(runs) as [Kind, Run][])
      for (let n = 0; n < most; n++) {
        const webhook = run.webhooks[n % run.webhooks.length]!
        const key = Math.floor(n / run.webhooks.length) % KEYS
        const id = run.delivery(n)
        const line = { key: `${webhook}/${key}`, parks: `${webhook}/${key}`, webhook, free: id }[kind]
        this.known.set(id, { kind, n, line })
      }
  }

  readonly answer: Behaviour = async (delivery, nth) => {
    const { kind, n, line } = this.known.get(delivery)!
    const other = this.underWay.get(line)
    if (other !== undefined && other !== delivery) {
      const at = Date.now()
      this.overlaps.push({ at, what: `${new Date(at).toISOString()} ${line}: ${delivery} while ${other}` })
    }
    this.underWay.set(line, delivery)
    try {
      await sleep(5 + Math.random() * 20)
      if (kind === 'parks') return { status: nth === 1 && isParked(n) ? 500 : 200 }
      return { status: this.down || Math.random() < FAILURES[kind] ? 500 : 200 }
    } finally {
      this.underWay.delete(line)
    }
  }

  /** Where the log has another order than the events were produced in; across keys there is none. */
  misplaced(sequences: readonly Sequence[]): string[] {
    return sequences.flatMap(({ webhook, deliveries }) => {
      const known = deliveries.map(id => this.known.get(id)!)
      if (known[0]?.kind === 'webhook') return []
      return known
        .slice(1)
        .flatMap(({ n }, at) =>
          n > known[at]!.n ? [] : [`${webhook}: event ${n} is behind ${known[at]!.n} in the log`],
        )
    })
  }

  /** First arrivals of other keys while one that was to be parked waited for its second attempt. */
  meanwhile(): number[] {
    const firsts = [...this.known].flatMap(([id, { kind, n }]) => {
      const [first] = this.ledger.requestsOf(id)
      return kind === 'parks' && first ? [{ key: n % KEYS, at: first.at }] : []
    })
    return Array.from({ length: PARKED }, (_, i) => {
      const [failed, again] = this.ledger.requestsOf(this.parks!.delivery(KEYS + i))
      if (!failed || !again) return 0
      return firsts.filter(({ key, at }) => key !== i && at > failed.at && at < again.at).length
    })
  }
}

function isParked(n: number): boolean {
  return n >= KEYS && n < KEYS + PARKED
}

/** What was being sent when its process was frozen goes out when it thaws: nothing can call it back. */
function isThawing(thaws: readonly number[], at: number): boolean {
  return thaws.some(thawedAt => thawedAt <= at && at <= thawedAt + THAW_MS)
}

interface Scene {
  readonly site: Site
  readonly admin: Admin
  readonly ledger: Ledger
  readonly receivers: Receivers
  readonly webhooks: readonly string[]
  /** When frozen processes went on, ms since the epoch. */
  readonly thaws: number[]
}

async function disturb(scene: Scene, rounds: number): Promise<void> {
  const { site, admin } = scene
  let second = await site.stack.startAlso(DELIVERER)
  const both = () => untilMembers(admin, DELIVERER, 2)
  try {
    for (let round = 0; round < rounds; round++) {
      await both()
      await whilePaused(scene, async () => kill(scene, site.stack.currentPids()[DELIVERER]!))
      await join(scene)
      await both()
      await freeze(scene, round % 2 === 0 ? second.pid : site.stack.currentPids()[DELIVERER]!)
      await both()
      await waver(scene)
      kill(scene, second.pid)
      scene.receivers.down = true
      await sleep(DOWN_MS)
      scene.receivers.down = false
      second = await site.stack.startAlso(DELIVERER)
    }
  } finally {
    await second.stop()
  }
}

/** A pause long enough that places are written, with something done in the middle of it. */
async function whilePaused(scene: Scene, act: () => Promise<void>): Promise<void> {
  await setAll(scene, 'pause')
  await sleep(500)
  await act()
  await sleep(500)
  await setAll(scene, 'resume')
}

/** One more member comes and leaves. */
async function join({ site }: Scene): Promise<void> {
  const third = await site.stack.startAlso(DELIVERER)
  await sleep(2000)
  await third.stop()
}

async function freeze(scene: Scene, pid: number): Promise<void> {
  const { ledger, thaws } = scene
  send(pid, 'SIGSTOP', (from, to) => ledger.fault({ what: 'frozen', target: DELIVERER, pid, from, to }))
  const thawed = sleep(LONGER_THAN_SESSION_MS).finally(() => send(pid, 'SIGCONT', from => void thaws.push(from)))
  await sleep(1000)
  await whilePaused(scene, () => sleep(4000))
  await thawed
}

/** Changes that come before the last one has taken effect. */
async function waver(scene: Scene): Promise<void> {
  for (let time = 0; time < 5; time++) {
    await setAll(scene, 'pause')
    await sleep(Math.random() * 300)
    await setAll(scene, 'resume')
    await sleep(Math.random() * 300)
  }
}

function kill({ ledger }: Scene, pid: number): void {
  send(pid, 'SIGKILL', (from, to) => ledger.fault({ what: 'killed', target: DELIVERER, pid, from, to }))
}

async function setAll({ site, webhooks }: Scene, change: 'pause' | 'resume'): Promise<void> {
  const api = createApiClient({ url: site.stack.api, key: site.stack.key })
  await Promise.all(webhooks.map(id => answerOf(api.POST(`/v1/webhooks/{id}/${change}`, { params: { path: { id } } }))))
}

/** What breaks a promise of order; the ledger is apart. */
export function brokenInOrder({ disorder, overlaps, parked, meanwhile }: OrderResult): string[] {
  return [
    ...disorder,
    ...parked.map(each => `still parked: ${each}`),
    ...overlaps.map(each => `at once: ${each}`),
    ...meanwhile.flatMap((count, key) => (count > 0 ? [] : [`nothing went on while key-${key} was parked`])),
  ]
}

import { setTimeout as sleep } from 'node:timers/promises'
import { answerOf, createApiClient } from '@posthorn/api/client'
import type { Ledger } from './ledger.js'
import { PATIENT, UNANSWERED, type Behaviour, type Site } from './site.js'

/** How a receiver behaves, and what its deliveries have to come to. */
interface Kind {
  readonly name: string
  readonly webhooks: number
  /** Its share of the events, by webhook. */
  readonly weight: number
  readonly retryPolicy: Readonly<Record<string, number>>
  readonly endOf: (delivery: string) => 'delivered' | 'exhausted' | 'gone'
  /** Through the line that is disturbed. */
  readonly byLine?: true
  /** Its own events have one of `KEYS` keys each. */
  readonly ordering?: 'key' | 'webhook'
  readonly answer: Behaviour
}

export interface Member {
  readonly id: string
  /** Of the events for it alone. */
  readonly type: string
  readonly kind: Pick<Kind, 'name' | 'weight' | 'endOf' | 'ordering'>
}

/** Of the events of an ordered member. */
export const KEYS = 10
/** Every member takes these, too. */
export const TO_ALL = 'random.all'

const PERSISTENT = { interval_ms: 1000, factor: 1, timeout_ms: 4000, attempts: 100 }
/** Time enough that only what is refused is given up. */
const BRIEF = { ...PATIENT, attempts: 2 }
/** Longer than their time-out. */
const HANGS_MS = 3000

/** The same for a delivery always, from 0 to 15; another die is as good as independent. */
const dice = (delivery: string, die = 0) => delivery.charCodeAt(delivery.length - 3 - die) % 16

const delivered = () => 'delivered' as const

/** Well-behaved ones get most: what hangs or fails ties up its own webhook, and nothing but time is won by more of it. */
const KINDS: readonly Kind[] = [
  {
    name: 'well',
    webhooks: 4,
    weight: 20,
    retryPolicy: PATIENT,
    endOf: delivered,
    answer: async () => {
      await sleep(5 + Math.random() * 20)
      return { status: 200 }
    },
  },
  {
    name: 'slow',
    webhooks: 2,
    weight: 4,
    retryPolicy: PATIENT,
    endOf: delivered,
    answer: async () => {
      await sleep(200 + Math.random() * 400)
      return { status: 204 }
    },
  },
  {
    name: 'flaky',
    webhooks: 3,
    weight: 6,
    retryPolicy: PERSISTENT,
    endOf: delivered,
    answer: (delivery, nth) => {
      if (nth > 2 || dice(delivery) > 3) return { status: 200 }
      if (dice(delivery) === 0) return { status: UNANSWERED }
      // Each of these stops the whole webhook for a second: more of them, and it takes less than it is given.
      return nth === 1 && dice(delivery) === 1 && dice(delivery, 1) < 4
        ? { status: 503, headers: { 'retry-after': '1' } }
        : { status: 500 }
    },
  },
  {
    name: 'by line',
    webhooks: 2,
    weight: 12,
    retryPolicy: PERSISTENT,
    endOf: delivered,
    byLine: true,
    answer: () => ({ status: 200, body: 'taken' }),
  },
  {
    name: 'hanging',
    webhooks: 1,
    weight: 1,
    retryPolicy: { ...PERSISTENT, timeout_ms: 2000 },
    endOf: delivered,
    answer: async (delivery, nth) => {
      if (nth > 1 || dice(delivery) > 2) return { status: 200 }
      await sleep(HANGS_MS)
      return { status: UNANSWERED }
    },
  },
  ...(['key', 'webhook'] as const).map((ordering): Kind => ({
    name: `ordered by ${ordering}`,
    webhooks: 1,
    weight: 2,
    ordering,
    // A failure holds up all that is behind it.
    retryPolicy: { ...PATIENT, interval_ms: 200 },
    endOf: delivered,
    answer: async (delivery, nth) => {
      await sleep(5 + Math.random() * 20)
      return { status: nth === 1 && dice(delivery) === 0 ? 500 : 200 }
    },
  })),
  {
    // Not all: of a receiver that nothing but fails, a circuit lets one delivery a minute through.
    name: 'failing',
    webhooks: 1,
    weight: 2,
    retryPolicy: BRIEF,
    endOf: delivery => (dice(delivery) < 4 ? 'exhausted' : 'delivered'),
    answer: delivery => ({ status: dice(delivery) < 4 ? 500 : 200 }),
  },
  {
    name: 'gone',
    webhooks: 1,
    weight: 1,
    retryPolicy: BRIEF,
    endOf: () => 'gone',
    answer: () => ({ status: 410 }),
  },
]

/** Registers a webhook for every receiver; those by the line are reached at its port. */
export function gather(site: Site, linePort: number, ledger: Ledger): Promise<readonly Member[]> {
  const api = createApiClient({ url: site.stack.api, key: site.stack.key })
  const seats = KINDS.flatMap(kind => Array.from({ length: kind.webhooks }, () => kind))
  return Promise.all(
    seats.map(async (kind, n) => {
      const path = `/random/${n}`
      const type = `random.${n}`
      site.receiveAt(path, ledger, kind.answer)
      const base = kind.byLine ? `http://127.0.0.1:${linePort}` : site.receiver.url
      const ordering = kind.ordering === undefined ? {} : { ordering: kind.ordering }
      const body = { url: `${base}${path}`, events: [type, TO_ALL], retry_policy: kind.retryPolicy, ...ordering }
      return { id: (await answerOf(api.POST('/v1/webhooks', { body }))).id, type, kind }
    }),
  )
}

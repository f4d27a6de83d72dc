import type { ReplayCandidate, ReplayRow } from '@posthorn/store'
import type { Delivery, ReplayPosition } from '@posthorn/webhook'

/** A delivery to be sent, with the event's data. */
export interface Found {
  readonly delivery: Delivery
  readonly data: Buffer
}

/** The next part of what a replay chose. */
export interface Step {
  readonly found: readonly Found[]
  /** Deliveries, or records of the log, that were looked at. */
  readonly examined: number
  /** Of these, how many the replay means and does not send. */
  readonly skipped: number
  /** Where to go on. */
  readonly position: ReplayPosition
  /** Nothing is left after this. */
  readonly over: boolean
}

/** Finds what one replay chose, part by part, and again from any position. */
export interface Selector {
  /** Where it begins, and how much there is to look at. */
  begin(): Promise<{ readonly position: ReplayPosition; readonly total: number }>
  /** Finds `limit` deliveries at most; fewer, or none, are not yet the end. */
  step(position: ReplayPosition, limit: number): Promise<Step>
  close(): Promise<void>
}

/** What a replay chose cannot be sent, now or later: its owner is told. */
export class ReplayImpossible extends Error {
  override readonly name = 'ReplayImpossible'
}

/** Kafka cannot be read right now; it is tried again. */
export class LogAway extends Error {
  override readonly name = 'LogAway'
}

/** Of a webhook, what its deliveries carry; undefined when it takes none. */
export type WebhookVersions = (tenant: string, webhook: string) => Promise<number | undefined>

/** One webhook is looked up once a step, not once a delivery. */
export function remembering(versions: WebhookVersions): WebhookVersions {
  const known = new Map<string, Promise<number | undefined>>()
  return (tenant, webhook) => {
    let version = known.get(webhook)
    if (!version) known.set(webhook, (version = versions(tenant, webhook)))
    return version
  }
}

/** The deliveries of candidates whose event is still there and whose webhook takes it; the others are skipped. */
export async function deliveriesOf(
  replay: ReplayRow,
  candidates: readonly ReplayCandidate[],
  versions: WebhookVersions,
): Promise<{ readonly found: readonly Found[]; readonly skipped: number }> {
  const version = remembering(versions)
  const found: Found[] = []
  for (const { id, webhook, acceptedAt, event, data } of candidates) {
    const webhookVersion = event && (await version(replay.tenant, webhook))
    if (event === undefined || webhookVersion === undefined) continue
    const named = { id, webhook, webhookVersion, tenant: replay.tenant, event }
    found.push({ delivery: replayed(replay, { ...named, acceptedAt: acceptedAt.getTime(), origin: NOWHERE }), data })
  }
  return { found, skipped: candidates.length - found.length }
}

/** The history does not say where in the log an event stands. */
const NOWHERE = { partition: -1, offset: -1 }

/** The first attempt of a run of its own: the run is the replay. */
export function replayed(
  { id: run }: ReplayRow,
  of: Pick<Delivery, 'id' | 'webhook' | 'webhookVersion' | 'tenant' | 'acceptedAt' | 'origin' | 'event'>,
): Delivery {
  return { ...of, run, attempt: 1, due: 0, replayedAt: Date.now(), spills: 0 }
}

import type { OutcomeKind } from './delivery.js'

/** What the deliveries of a filter may have come to; the others are still under way. */
export const REPLAYABLE = [
  'delivered',
  'exhausted',
  'expired',
  'gone',
  'discarded',
] as const satisfies readonly OutcomeKind[]
export type ReplayableStatus = (typeof REPLAYABLE)[number]

/** What a filter means that names no status: everything that ended without success. */
export const UNDELIVERED: readonly ReplayableStatus[] = REPLAYABLE.filter(status => status !== 'delivered')

/** Which deliveries a replay sends. Times are RFC 3339 and of acceptance: from the first on, before the second. */
export type ReplaySelection =
  /** Named one by one. */
  | { readonly kind: 'deliveries'; readonly ids: readonly string[] }
  /** Those of the history that fit; `type` is a pattern such as agent.*. */
  | {
      readonly kind: 'history'
      readonly webhook?: string
      readonly type?: string
      readonly status: readonly ReplayableStatus[]
      readonly from?: string
      readonly to: string
    }
  /** Every event of the log that the webhook takes as it is now, whether or not it existed then. */
  | { readonly kind: 'log'; readonly webhook: string; readonly from: string; readonly to: string }

/** `queued`: nobody works on it yet, or the one who did has died. */
export const REPLAY_STATUSES = ['queued', 'running', 'paused', 'done', 'cancelled', 'failed'] as const
export type ReplayStatus = (typeof REPLAY_STATUSES)[number]

/** Whether a replay may still send something. */
export function isReplayOpen(status: ReplayStatus): boolean {
  return status === 'queued' || status === 'running' || status === 'paused'
}

/** How far a replay has come: what stands behind it is never looked at again. */
export type ReplayPosition =
  | { readonly kind: 'deliveries'; readonly next: number }
  /** The last delivery that was looked at; undefined before the first. `acceptedAt` in ms. */
  | { readonly kind: 'history'; readonly after?: { readonly acceptedAt: number; readonly id: string } }
  /** Offsets that are left, from `next` on and before `end`. */
  | { readonly kind: 'log'; readonly ranges: readonly LogRange[] }

export interface LogRange {
  readonly partition: number
  readonly next: number
  readonly end: number
}

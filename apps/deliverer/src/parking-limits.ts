import { DELIVERIES } from '@posthorn/topics'

export interface ParkingLimits {
  /** A failed record is tried again in memory for so long (ms); then its key is parked. */
  readonly inPlaceMs: number
  /** One more key to park, and the whole webhook is. */
  readonly parkedKeys: number
  /** Waiting records of an ordered webhook in memory: with more it is behind, and the log is read again instead. */
  readonly waiting: number
  readonly waitingBytes: number
  /** An offset that is open for longer would stop the others of its partition. */
  readonly distance: number
  /** The reader leaves the last stretch (offsets) to the live loop: what comes then waits with open offsets. */
  readonly joinWithin: number
  readonly held: number
  /** Re-read and unfinished at once, of one place: enough to keep a webhook busy until the next fetch. */
  readonly running: number
  readonly runningBytes: number
  /** The log takes records away not long after that (ms): what is older ends, although its webhook is paused. */
  readonly keptMs: number
}

export const PARKING_LIMITS: ParkingLimits = {
  inPlaceMs: 30_000,
  parkedKeys: 100,
  waiting: 1_000,
  waitingBytes: 8 * 1024 * 1024,
  // Half of a partition's window.
  distance: 8_192,
  joinWithin: 1_000,
  held: 2_000,
  running: 500,
  runningBytes: 4 * 1024 * 1024,
  // 12 days of 14. No delivery may be older: none of these could still be sent.
  keptMs: (DELIVERIES.retentionMs! * 6) / 7,
}

import { createRequire } from 'node:module'
import { registerCodecs } from './codecs.js'

/** What the patch below touches of kafkajs's request queue (src/network/requestQueue, 2.2.4). */
interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null
  readonly throttledUntil: number
  readonly pending: readonly unknown[]
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
}

const THROTTLE_CHECK_MS = 10

/**
 * kafkajs 2.2.4 keeps a timer of 1 ms alive per connection, even when nothing is pending: 2.7 % of
 * a core for an idle consumer, 0.1 % with this.
 */
function patchIdleTimer(): void {
  const require = createRequire(import.meta.url)
  const queue = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue }
  queue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return
    const wait = this.throttledUntil - Date.now()
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null
        this.checkPendingRequests()
      },
      wait > 0 ? wait : THROTTLE_CHECK_MS,
    )
  }
}

let repaired = false

/** Patches kafkajs for this process; further calls do nothing. */
export function repairKafkajs(): void {
  if (repaired) return
  repaired = true
  patchIdleTimer()
  registerCodecs()
}

import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'

/** What the patch below touches of a member of a group (src/consumer/consumerGroup, 2.2.4). */
interface ConsumerGroup {
  fetch(nodeId: number): Promise<unknown>
}

/** Share of its time that a process is busy: below the first it fetches as soon as it can, from the second on at the largest gap. */
const BUSY_FROM = 0.3
const BUSY_TO = 0.6
/** From the start of one fetch to that of the next, of one broker. Two services make it twice in the way of an event. */
const LARGEST_GAP_MS = 8
/** Utilization is that of such a time. */
const MEASURED_MS = 500

/** How long after a fetch began the next may, ms, in a process that is busy for this share of its time. */
export function fetchGap(utilization: number): number {
  return LARGEST_GAP_MS * Math.min(1, Math.max(0, (utilization - BUSY_FROM) / (BUSY_TO - BUSY_FROM)))
}

/**
 * A fetch is answered with the first record that is there, so at a steady rate each brings one or two, and costs the
 * broker, this process and what it produces from it as much as one of fifty. A process that has time to spare gains
 * by it, as events go on at once; one that is busy lets a few come together: at 400 events/s 8 ms took 22 % of the
 * CPU of a delivery away where two cores were at their end, and half of its age; 6 % where they were not.
 */
export function paceFetches(utilization = measuredUtilization()): void {
  const require = createRequire(import.meta.url)
  const { prototype } = require('kafkajs/src/consumer/consumerGroup') as { prototype: ConsumerGroup }
  const { fetch } = prototype
  const began = new WeakMap<ConsumerGroup, Map<number, number>>()
  prototype.fetch = async function (this: ConsumerGroup, nodeId) {
    const byNode = began.get(this) ?? new Map<number, number>()
    began.set(this, byNode)
    const waitMs = (byNode.get(nodeId) ?? -Infinity) + fetchGap(utilization()) - performance.now()
    if (waitMs > 0) await sleep(waitMs)
    byNode.set(nodeId, performance.now())
    return fetch.call(this, nodeId)
  }
}

/** Tells the utilization of the event loop in the last whole time of measurement. */
export function measuredUtilization(): () => number {
  let from = performance.eventLoopUtilization()
  let since = performance.now()
  let last = 0
  return () => {
    const now = performance.now()
    if (now - since < MEASURED_MS) return last
    const to = performance.eventLoopUtilization()
    last = performance.eventLoopUtilization(to, from).utilization
    from = to
    since = now
    return last
  }
}

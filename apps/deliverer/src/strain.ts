import { monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 20
/** A turn of the event loop this much too long keeps answers waiting for us: too much to do, or a busy machine. */
const MAX_DELAY_MS = 50
/** So does a loop that hardly ever waits. */
const MAX_UTILIZATION = 0.7

/** Whether this process keeps up with its own work; only then can it tell how quick others are. */
export class Strain {
  private readonly delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  private last = performance.eventLoopUtilization()

  start(): void {
    this.delays.enable()
  }

  stop(): void {
    this.delays.disable()
  }

  /** Whether it was strained at any time since the last call. */
  sinceLast(): boolean {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.last)
    const isLate = this.delays.max > (RESOLUTION_MS + MAX_DELAY_MS) * 1e6
    this.last = now
    this.delays.reset()
    return isLate || utilization > MAX_UTILIZATION
  }
}

import { performance } from 'node:perf_hooks'
import { SendTimeout, type Step, type StepLimits } from './time-outs.js'

/** When the steps of making a connection were done, by performance.now(). */
export interface ConnectionTimes {
  readonly started: number
  /** What is under way. */
  step: Step
  resolved?: number
  connected?: number
  secured?: number
}

/** What is under way towards a receiver: a socket, or a connection through a proxy. */
export interface InTheMaking {
  destroy(reason: Error): unknown
}

/** Tells when the steps of connecting were done, and ends the one that takes too long. */
export class StepClock {
  readonly times: ConnectionTimes
  private timer: NodeJS.Timeout | undefined

  constructor(
    private readonly limits: StepLimits,
    public target: InTheMaking,
    first: 'dns' | 'connect',
  ) {
    this.times = { started: performance.now(), step: first }
    this.begin(first)
  }

  resolved(): void {
    this.times.resolved = performance.now()
    this.begin('connect')
  }

  connected(secure: boolean): void {
    this.times.connected = performance.now()
    this.begin(secure ? 'tls' : 'whole')
  }

  secured(): void {
    this.times.secured = performance.now()
    this.begin('whole')
  }

  stop(): void {
    clearTimeout(this.timer)
  }

  private begin(step: Step): void {
    clearTimeout(this.timer)
    this.times.step = step
    if (step === 'whole') return
    const ms = this.limits[step]
    this.timer = setTimeout(() => this.target.destroy(new SendTimeout(step, ms)), ms)
  }
}

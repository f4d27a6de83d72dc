import type { Exchange } from './sockets.js'

/** How long each step took, in ms; the first three are absent where a connection was used again. */
export interface Phases {
  readonly dnsMs?: number
  readonly connectMs?: number
  readonly tlsMs?: number
  /** From sending the request until the head of the answer. */
  readonly waitMs?: number
  /** From there to its end. */
  readonly readMs?: number
}

/** The steps that were finished; undefined when none was. `began` is when the head of the answer had come. */
export function phasesOf({ times, sent }: Exchange, began: number | undefined, ended: number): Phases | undefined {
  const { started, resolved, connected, secured } = times ?? {}
  const phases = {
    ...step('dnsMs', started, resolved),
    ...step('connectMs', resolved ?? started, connected),
    ...step('tlsMs', connected, secured),
    ...step('waitMs', sent, began),
    ...step('readMs', began, ended),
  }
  return Object.keys(phases).length === 0 ? undefined : phases
}

/** To the microsecond, as all times of an attempt. */
function step<N extends keyof Phases>(name: N, from: number | undefined, to: number | undefined): Phases {
  return from === undefined || to === undefined ? {} : { [name]: Math.round((to - from) * 1000) / 1000 }
}

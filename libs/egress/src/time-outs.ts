import type { NetworkCause } from '@posthorn/webhook'

/** How long each step may take, in ms; the request's own time-out is for all of them together. */
export interface StepLimits {
  readonly dns: number
  readonly connect: number
  readonly tls: number
  /** From sending the request to the head of its answer. */
  readonly firstByte: number
}

/** What was under way when the time was over; `whole`: the answer, or its end. */
export type Step = keyof StepLimits | 'whole'

const CAUSES: Readonly<Record<Step, NetworkCause>> = {
  dns: 'dns_timeout',
  connect: 'connect_timeout',
  tls: 'tls_timeout',
  firstByte: 'first_byte_timeout',
  whole: 'timeout',
}
const WHAT: Readonly<Record<Step, string>> = {
  dns: 'the host name was not resolved',
  connect: 'no connection was made',
  tls: 'the TLS handshake did not end',
  firstByte: 'no answer began',
  whole: 'no complete answer',
}

/** A step of the request, or the whole in the midst of that step, took longer than it may. */
export class SendTimeout extends Error {
  readonly code = 'POSTHORN_SEND_TIMEOUT'
  readonly reason: NetworkCause

  constructor(step: Step, ms: number) {
    super(`${WHAT[step]} within ${ms} ms`)
    this.name = 'SendTimeout'
    this.reason = CAUSES[step]
  }
}

/** What is told of each request: on the terminal, or to the parent process as it stands here. */
export interface Received {
  readonly kind: 'received'
  /** Undefined when it could not be verified, or its payload names none. */
  readonly type: string | undefined
  /** `webhook-id` as the request claims it. */
  readonly webhookId: string | undefined
  readonly verified: boolean
  /** From the event's own time to its arrival here, in ms. */
  readonly latencyMs: number | undefined
  /** Path and query as requested. */
  readonly path: string
  /** What is answered; 0: nothing ever. */
  readonly status: number
  /** Whether this webhook-id was stored before. */
  readonly duplicate: boolean
}

export type Notify = (received: Received) => void

/** Step 3: one line for people. */
export function describe(received: Received): string {
  const { type, webhookId, verified, latencyMs, path, status, duplicate } = received
  return [
    status === 0 ? 'no answer' : String(status),
    printable(type ?? 'unknown type'),
    printable(webhookId ?? 'no webhook-id'),
    verified ? 'signature verified' : 'NOT VERIFIED',
    ...(latencyMs === undefined ? [] : [`${latencyMs} ms after the event`]),
    ...(duplicate ? ['duplicate'] : []),
    printable(path),
  ].join('  ')
}

/** Whoever can reach the port chooses these texts: they must not be able to steer the terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?')
}

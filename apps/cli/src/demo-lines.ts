/** What the sample receiver tells of each request. */
export interface Received {
  readonly kind: 'received'
  readonly type: string | undefined
  readonly webhookId: string | undefined
  readonly verified: boolean
  /** From the event's own time to its arrival. */
  readonly latencyMs: number | undefined
  readonly path: string
  /** What it answered; 0: nothing. */
  readonly status: number
}

/** Of so many deliveries is remembered that they failed before. */
const REMEMBERED = 1000

export function isReceived(message: unknown): message is Received {
  return (message as { kind?: unknown }).kind === 'received'
}

/** One readable line per request, which knows a retry when it comes. */
export class DemoLines {
  private readonly failures = new Map<string, number>()

  line(received: Received, now: Date): string {
    const { type, webhookId, verified, latencyMs, path, status } = received
    const before = this.failures.get(webhookId ?? '') ?? 0
    this.remember(webhookId, status, before)
    return [
      now.toTimeString().slice(0, 8),
      status === 0 ? '---' : status,
      (type ?? 'unknown type').padEnd(44),
      (webhookId ?? 'no webhook-id').padEnd(30),
      verified ? 'signature ok ' : 'signature BAD',
      latencyMs === undefined ? '' : `${latencyMs} ms`.padStart(8),
      path,
      ...(before > 0 ? [`retry ${before}`] : []),
      ...(status === 200 ? [] : ['failed']),
    ].join('  ')
  }

  private remember(webhookId: string | undefined, status: number, before: number): void {
    if (webhookId === undefined) return
    if (status === 200) this.failures.delete(webhookId)
    else this.failures.set(webhookId, before + 1)
    const oldest = this.failures.keys().next()
    if (this.failures.size > REMEMBERED && !oldest.done) this.failures.delete(oldest.value)
  }
}

export type CheckStatus = 'ok' | 'warn' | 'fail'

/** One thing that was looked at. */
export interface Finding {
  /** Stable, for programs: kafka.topics */
  readonly name: string
  readonly status: CheckStatus
  /** What is. */
  readonly says: string
  /** What to do next; null when all is well. */
  readonly advice: string | null
}

export const ok = (name: string, says: string): Finding => ({ name, status: 'ok', says, advice: null })
export const warn = (name: string, says: string, advice: string): Finding => ({ name, status: 'warn', says, advice })
export const fail = (name: string, says: string, advice: string): Finding => ({ name, status: 'fail', says, advice })

/** Receivers refuse signatures that are 5 minutes off, and delays are counted from one clock to another. */
const SKEW_WARN_MS = 2_000
const SKEW_FAIL_MS = 60_000

/** `skewMs`: how far the other clock is ahead of ours; `uncertainMs`: how far that may be wrong. */
export function clockFinding(name: string, whose: string, skewMs: number, uncertainMs: number): Finding {
  const off = Math.max(0, Math.abs(skewMs) - uncertainMs)
  const says = `The clock of ${whose} is ${sayMs(Math.abs(skewMs))} ${skewMs < 0 ? 'behind' : 'ahead'} (±${sayMs(uncertainMs)}).`
  const advice = 'Set both clocks by NTP: signatures and retries go by them.'
  if (off > SKEW_FAIL_MS) return fail(name, says, advice)
  return off > SKEW_WARN_MS ? warn(name, says, advice) : ok(name, says)
}

function sayMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** Why something failed, as far as the error knows, in one line. */
export function reasonOf(error: unknown): string {
  const { cause, message } = error as Error
  const inner = error instanceof AggregateError ? (error.errors as Error[])[0] : cause
  const known = inner instanceof Error && (inner.message === '' || message.includes(inner.message))
  const text = inner instanceof Error && !known ? `${message} (${inner.message})` : message
  return text.trim().split('\n', 1)[0]!
}

export interface Tally {
  readonly passed: number
  readonly skipped: number
  /** A line each. */
  readonly failures: readonly string[]
}

export const NOTHING: Tally = { passed: 0, skipped: 0, failures: [] }

export function sum(...tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((total, tally) => total + tally.passed, 0),
    skipped: tallies.reduce((total, tally) => total + tally.skipped, 0),
    failures: tallies.flatMap(tally => tally.failures),
  }
}

/** The last line of `npm test`. */
export function lastLine({ passed, failures, skipped }: Tally): string {
  return `${passed} passed, ${failures.length} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/** Nothing run is no success. */
export function exitStatus({ passed, failures }: Tally): number {
  return failures.length > 0 || passed === 0 ? 1 : 0
}

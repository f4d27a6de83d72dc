import Sequencer from '@jest/test-sequencer'

/** What takes minutes begins first: begun last, it would run alone on one of two cores. */
const LONGEST_FIRST = ['/apps/faults/', '.kafka.spec.ts', '.pg.spec.ts']

function rank({ path }) {
  const found = LONGEST_FIRST.findIndex(part => path.includes(part))
  return found < 0 ? LONGEST_FIRST.length : found
}

export default class LongestFirst extends Sequencer {
  /** Within a rank as Jest does: by the last duration where it knows one, else by size. */
  async sort(tests) {
    const sorted = await super.sort(tests)
    return sorted
      .map((test, n) => ({ test, n }))
      .sort((a, b) => rank(a.test) - rank(b.test) || a.n - b.n)
      .map(({ test }) => test)
  }
}

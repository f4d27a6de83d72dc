import { describe, expect, it } from '@jest/globals'
import { BREAKAGES } from './breakages.js'
import { breakAtRandom, brokenInRandom, reportOfRandom } from './random.js'

/** The order of what is broken; others are for `npm run faults -- --seed N`. */
const SEED = 7
const MINUTES = 3
const PER_SECOND = 60
/** Of the breakages of a round: a busy machine takes longer for each. */
const AT_LEAST = BREAKAGES.length / 3

describe('at least once', () => {
  it('S10 ends each delivery as its receiver answers, keeps order, repeats only what was in flight and sends none early, whatever breaks', async () => {
    const say = (line: string) => process.stderr.write(`${line}\n`)
    const result = await breakAtRandom({ seed: SEED, minutes: MINUTES, least: AT_LEAST, rate: PER_SECOND, say })
    say(reportOfRandom(result))
    expect(brokenInRandom(result)).toEqual([])
    expect(result.broken.size).toBeGreaterThanOrEqual(AT_LEAST)
    const { delivered, exhausted, gone, discarded } = result.balance.ends
    // Only what is answered by 410 may be discarded: where its deliverer dies before it has said so, it is.
    expect(Math.min(delivered, exhausted, gone + discarded)).toBeGreaterThan(0)
    expect(result.sequences).toBeGreaterThan(1)
    expect(result.audit.retryLateness.length).toBeGreaterThan(0)
  }, 900_000)
})

import { describe, expect, test } from '@jest/globals'
import { isFiring, LEAST_ATTEMPTS } from './alert.js'

const of = (delivered: number, attempts = 100) => ({ attempts, delivered })

describe('isFiring', () => {
  test.each([
    ['begins below the rate', false, of(89), true],
    ['not at it', false, of(90), false],
    ['goes on above it', true, of(94), true],
    ['ends with half of the failures that it allows', true, of(96), false],
    ['does not begin on too few attempts', false, of(0, LEAST_ATTEMPTS - 1), false],
    ['begins on enough', false, of(0, LEAST_ATTEMPTS), true],
    ['ends on one success alone', true, of(1, 1), false],
    ['stays as it was without attempts', true, of(0, 0), true],
    ['does not begin without them', false, of(0, 0), false],
  ])('%s', (_, was, count, firing) => expect(isFiring(was, count, 0.9)).toBe(firing))

  test('ends when nothing is asked for any more', () => expect(isFiring(true, of(0), 0)).toBe(false))
})

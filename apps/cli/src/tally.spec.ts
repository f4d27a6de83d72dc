import { expect, test } from '@jest/globals'
import { tallyOf } from './jest-run.js'
import { exitStatus, lastLine, NOTHING, sum } from './tally.js'

test('the last line counts passed and failed, and skipped when there are any', () => {
  expect(lastLine(NOTHING)).toBe('0 passed, 0 failed')
  expect(lastLine({ passed: 3, failures: ['types'], skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped')
})

test('a run without a single test is no success', () => {
  expect(exitStatus(NOTHING)).toBe(1)
  expect(exitStatus({ ...NOTHING, passed: 1 })).toBe(0)
  expect(exitStatus(sum({ ...NOTHING, passed: 9 }, { ...NOTHING, failures: ['lint'] }))).toBe(1)
})

test('a file that could not be loaded is a failure of its own', () => {
  const file = { name: 'x.spec.ts', message: 'Cannot find module\n  at', status: 'failed', assertionResults: [] }
  const half = {
    name: 'y.spec.ts',
    message: '',
    status: 'failed',
    assertionResults: [
      { fullName: 'a', status: 'passed' },
      { fullName: 'b', status: 'failed' },
    ],
  }
  expect(tallyOf({ numPassedTests: 1, numPendingTests: 1, numTodoTests: 1, testResults: [file, half] })).toEqual({
    passed: 1,
    skipped: 2,
    failures: ['x.spec.ts: Cannot find module', 'y.spec.ts: b'],
  })
})

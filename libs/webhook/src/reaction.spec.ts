import { expect, test } from '@jest/globals'
import { reactionOf } from './reaction.js'

test.each([
  [200, 'fine'],
  [301, 'fine'],
  [404, 'fine'],
  [410, 'fine'],
  [429, 'overloaded'],
  [500, 'failing'],
  [502, 'failing'],
  [503, 'overloaded'],
] as const)('S10 %d says that the webhook is %s', (status, reaction) => {
  expect(reactionOf({ kind: 'response', status })).toBe(reaction)
})

test.each([
  ['timeout', 'overloaded'],
  ['connect', 'overloaded'],
  ['reset', 'failing'],
  ['dns', 'failing'],
  ['tls', 'failing'],
] as const)('S10 %s says that the webhook is %s', (cause, reaction) => {
  expect(reactionOf({ kind: 'failed', cause, detail: '' })).toBe(reaction)
})

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { openClocks, type Clocks } from './clocks.js'

let clocks: Clocks
beforeAll(async () => void (clocks = await openClocks()))
afterAll(() => clocks.remove())

const HOUR_MS = 3600_000
const SAYS =
  'console.log(JSON.stringify([Date.now(), new Date().getTime(), new Date(5).getTime(), new Date() instanceof Date]))'

/** What a process of this target takes for the time, against ours: by each way to ask. */
function offBy(target: string): [number, number, number, boolean] {
  const env = { ...process.env, ...clocks.environment }
  const text = execFileSync(process.execPath, ['-e', SAYS, '--', `--target=${target}`], { env, encoding: 'utf8' })
  const [now, made, given, isDate] = JSON.parse(text) as [number, number, number, boolean]
  return [now - Date.now(), made - Date.now(), given, isDate]
}

describe('clocks', () => {
  it('put one target an hour ahead, and leave the others', () => {
    clocks.set('router', HOUR_MS)
    const [now, made, given, isDate] = offBy('router')
    expect(Math.abs(now - HOUR_MS)).toBeLessThan(30_000)
    expect(Math.abs(made - HOUR_MS)).toBeLessThan(30_000)
    expect([given, isDate]).toEqual([5, true])
    expect(Math.abs(offBy('monitor')[0])).toBeLessThan(30_000)
  })

  it('are right again when they are set back', () => {
    clocks.set('router', -HOUR_MS)
    expect(offBy('router')[0]).toBeLessThan(-HOUR_MS + 30_000)
    clocks.set('router', 0)
    expect(Math.abs(offBy('router')[0])).toBeLessThan(30_000)
  })
})

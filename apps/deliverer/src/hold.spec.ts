import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { DEFAULT_RETRY_POLICY, type Webhook } from '@posthorn/webhook'
import { Hold, MAX_LAG_MS, type Holdable } from './hold.js'

const webhook = (version: number): Webhook => ({
  id: 'w',
  tenant: 'default',
  version,
  status: 'active',
  url: 'https://example.com/',
  method: 'POST',
  events: ['*'],
  format: 'standard',
  sealedSecrets: [],
  retryPolicy: DEFAULT_RETRY_POLICY,
})

function deferred<T>() {
  let resolve!: (value: T) => void
  const promise = new Promise<T>(settle => (resolve = settle))
  return { promise, resolve }
}

function setUp(known: Webhook | undefined) {
  const state = { known, whole: deferred<void>(), ended: deferred<void>(), arrived: deferred<boolean>() }
  state.whole.resolve()
  const waits: unknown[] = []
  const told: string[] = []
  const hold = new Hold<Holdable>({
    table: {
      get whole() {
        return state.whole.promise
      },
      get: () => state.known,
      readToEnd: () => state.ended.promise,
      waitFor: (...wait) => {
        waits.push(wait)
        return state.arrived.promise
      },
    },
    now: Date.now,
    due: () => told.push('due'),
    known: works => told.push(`known ${works.length}`),
    lagging: works => told.push(`lagging ${works.length}`),
    failed: error => told.push(String(error)),
  })
  return { state, waits, told, hold }
}
const work = (webhookVersion: number, due = 0): Holdable => ({ delivery: { webhook: 'w', webhookVersion, due } })

beforeEach(() => void jest.useFakeTimers({ now: 1_000_000 }))
afterEach(() => void jest.useRealTimers())

describe('S4 what may not be sent yet', () => {
  it('is told by the time and the version', () => {
    const { hold } = setUp(webhook(2))
    expect(hold.reason(work(2))).toBe('none')
    expect(hold.reason(work(1))).toBe('none')
    expect(hold.reason(work(3))).toBe('configuration')
    expect(hold.reason(work(2, 1_000_001))).toBe('none')
    expect(hold.reason(work(2, 1_000_002))).toBe('early')
    expect(hold.reason(work(2, 1_004_999))).toBe('early')
    expect(hold.reason(work(2, 1_005_000))).toBe('later')
    expect(setUp(undefined).hold.reason(work(1))).toBe('configuration')
  })

  it('waits for its time', async () => {
    const { hold, told } = setUp(webhook(1))
    hold.untilDue(work(1, 1_003_000))
    expect(hold.size).toBe(1)
    await jest.advanceTimersByTimeAsync(2_999)
    expect(told).toEqual([])
    await jest.advanceTimersByTimeAsync(1)
    expect(told).toEqual(['due'])
    expect(hold.size).toBe(0)
  })

  it('waits for its version, all deliveries with one wait, counted from a table read to its end', async () => {
    const { hold, state, told, waits } = setUp(webhook(1))
    hold.untilKnown(work(2))
    hold.untilKnown(work(2))
    await jest.advanceTimersByTimeAsync(600_000)
    expect(waits).toEqual([])
    state.ended.resolve()
    await jest.advanceTimersByTimeAsync(0)
    expect(waits).toEqual([['w', 2, MAX_LAG_MS]])
    state.arrived.resolve(true)
    await jest.advanceTimersByTimeAsync(0)
    expect(told).toEqual(['known 2'])
  })

  it('lags when the version does not come', async () => {
    const { hold, state, told } = setUp(webhook(1))
    hold.untilKnown(work(2))
    state.ended.resolve()
    state.arrived.resolve(false)
    await jest.advanceTimersByTimeAsync(0)
    expect(told).toEqual(['lagging 1'])
  })

  it('does not wait for a webhook that surely has no document', async () => {
    const { hold, state, told, waits } = setUp(undefined)
    hold.untilKnown(work(1))
    state.ended.resolve()
    await jest.advanceTimersByTimeAsync(0)
    expect([told, waits]).toEqual([['known 1'], []])
  })

  it('waits with a webhook that has no document while the registry has not published all of them', async () => {
    const { hold, state, told } = setUp(undefined)
    state.whole = deferred<void>()
    hold.untilKnown(work(1))
    state.ended.resolve()
    await jest.advanceTimersByTimeAsync(600_000)
    expect(told).toEqual([])
    state.whole.resolve()
    await jest.advanceTimersByTimeAsync(0)
    expect(told).toEqual(['known 1'])
  })

  it('says nothing after a stop', async () => {
    const { hold, state, told } = setUp(webhook(1))
    hold.untilDue(work(1, 1_001_000))
    hold.untilKnown(work(2))
    hold.stop()
    state.ended.resolve()
    state.arrived.resolve(true)
    await jest.advanceTimersByTimeAsync(2_000)
    expect(told).toEqual([])
  })
})

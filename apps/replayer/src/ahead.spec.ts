import { describe, expect, it } from '@jest/globals'
import { KafkaAccessRefused, type GroupProgress } from '@posthorn/kafka'
import { createLogger } from '@posthorn/telemetry'
import { Ahead, finishedBy, MOST_AHEAD } from './ahead.js'
import { LogAway } from './selector.js'

/** A replay, and deliverers that finish so many a second of what was sent `takesMs` ago, as it is looked at each 100 ms. */
function setUp(takesMs = 0) {
  const state = { upTo: 0, sent: 0, asked: 0, now: 0 }
  const ahead = new Ahead(
    () => {
      state.asked++
      return Promise.resolve((_partition, offset) => offset < state.upTo)
    },
    () => state.now,
  )
  const sentBy: { readonly at: number; readonly sent: number }[] = []
  let answered = 0
  const send = (count: number) => {
    for (let left = count; left > 0; left--) ahead.sent({ partition: 0, offset: state.sent++ })
  }
  /** Returns the most that was sent at once. */
  const run = async (seconds: number, perSecond: number) => {
    let most = 0
    for (const end = state.now + seconds * 1000; state.now < end; state.now += 100) {
      while (sentBy[0] && sentBy[0].at + takesMs <= state.now) answered = sentBy.shift()!.sent
      state.upTo = Math.min(takesMs > 0 ? answered : state.sent, state.upTo + perSecond / 10)
      const room = await ahead.room()
      most = Math.max(most, room)
      send(room)
      if (takesMs > 0) sentBy.push({ at: state.now, sent: state.sent })
    }
    return most
  }
  return { ahead, state, send, run }
}

describe('how far a replay is ahead of the deliverers', () => {
  it('asks nobody while it is not far', async () => {
    const { ahead, state, send } = setUp()
    send(200)
    expect(await ahead.room()).toBe(250)
    expect(state.asked).toBe(0)
  })

  it('has no room until the deliverers have finished enough of what it sent', async () => {
    const { ahead, state, send } = setUp()
    send(500)
    expect(await ahead.room()).toBe(0)
    state.upTo = 20
    expect(await ahead.room()).toBe(0)
    state.upTo = 40
    expect(await ahead.room()).toBe(40)
  })

  it.each([400, 900])(
    'comes to what they finish in two seconds at %d/s, and sends it in small parts',
    async perSecond => {
      const { state, run } = setUp()
      await run(20, perSecond)
      const before = state.sent
      expect(await run(10, perSecond)).toBeLessThanOrEqual(perSecond / 5)
      expect(state.sent - before).toBeGreaterThan(9.5 * perSecond)
      expect(state.sent - state.upTo).toBeLessThanOrEqual(2 * perSecond)
    },
  )

  it.each([
    [20_000, MOST_AHEAD],
    [10, 500],
  ])('is, where they finish %d/s, never more than %d', async (perSecond, most) => {
    const { state, run } = setUp()
    await run(20, perSecond)
    expect(state.sent - state.upTo).toBeLessThanOrEqual(most)
  })

  it('keeps many receivers busy that take a second and a half to answer', async () => {
    const { state, run } = setUp(1500)
    await run(30, Infinity)
    const before = state.sent
    await run(10, Infinity)
    expect((state.sent - before) / 10).toBeGreaterThan(1000)
  })
})

describe('the deliverers, asked what they have finished', () => {
  const asked = (error: Error) => {
    const lines: string[] = []
    const logger = createLogger('warn', 'test', { write: line => void lines.push(line) })
    const progress = { finishedOf: () => Promise.reject(error) } as unknown as GroupProgress
    return { finished: finishedBy(progress, logger), lines }
  }

  it('are waited for while Kafka is away', async () => {
    const { finished } = asked(new Error('no broker'))
    await expect(finished()).rejects.toBeInstanceOf(LogAway)
  })

  it('are not waited for where the user may not ask, which is said once', async () => {
    const { finished, lines } = asked(new KafkaAccessRefused('The user may not use a consumer group'))
    const ahead = new Ahead(finished)
    for (let offset = 0; offset < 3 * MOST_AHEAD; offset++) {
      ahead.sent({ partition: 0, offset })
      expect(await ahead.room()).toBeGreaterThan(0)
    }
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('docs/kafka.md')
  })
})

import { describe, expect, it } from '@jest/globals'
import { KafkaAccessRefused, type GroupProgress } from '@posthorn/kafka'
import { createLogger } from '@posthorn/telemetry'
import { Ahead, finishedBy, MOST_AHEAD } from './ahead.js'
import { LogAway } from './selector.js'

/** A replay that has sent so many to one partition, of which the deliverers have finished some. */
function setUp(sent: number) {
  const state = { upTo: 0, asked: 0 }
  const ahead = new Ahead(() => {
    state.asked++
    return Promise.resolve((_partition, offset) => offset < state.upTo)
  })
  for (let offset = 0; offset < sent; offset++) ahead.sent({ partition: 0, offset })
  return { ahead, state }
}

describe('how far a replay is ahead of the deliverers', () => {
  it('asks nobody while it is not far', async () => {
    const { ahead, state } = setUp(1000)
    expect(await ahead.room()).toBe(MOST_AHEAD - 1000)
    expect(state.asked).toBe(0)
  })

  it('has no room until the deliverers have finished enough of what it sent', async () => {
    const { ahead, state } = setUp(MOST_AHEAD)
    expect(await ahead.room()).toBe(0)
    state.upTo = 100
    expect(await ahead.room()).toBe(0)
    state.upTo = 600
    expect(await ahead.room()).toBe(600)
    expect(state.asked).toBe(3)
    expect(await ahead.room()).toBe(600)
    expect(state.asked).toBe(3)
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

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { disturb } from './disturbed.js'
import { brokenIn, reportOf } from './result.js'
import { openStage, type Stage } from './stage.js'

const SEED = 1

describe('at least once, with connections that are delayed, cut and half-open', () => {
  let stage: Stage

  beforeAll(async () => void (stage = await openStage()), 180_000)
  afterAll(() => stage?.close(), 60_000)

  it('S10 delivers all that Kafka has acknowledged, and repeats only what was in flight, whatever its clients meet', async () => {
    const result = await disturb(stage, 'kafka-clients', SEED, [
      ['a broker', 'cut'],
      ['all brokers', 'slow'],
      ['all brokers', 'cut'],
      ['a broker', 'half_open'],
      ['all brokers', 'mixed'],
    ])
    process.stderr.write(
      `${reportOf(`Kafka's clients; ${result.hits} hits, ${result.meanwhile} requests meanwhile`, result)}\n`,
    )
    expect([...brokenIn(result), ...result.commitsBack, ...result.gaps]).toEqual([])
    expect(result.hits).toBeGreaterThan(0)
  }, 300_000)

  it("S10 delivers whatever Postgres's clients meet, and its history is complete afterwards", async () => {
    const result = await disturb(stage, 'postgres-clients', SEED, [
      ['Postgres', 'slow'],
      ['Postgres', 'cut'],
      ['Postgres', 'half_open'],
      ['Postgres', 'mixed'],
    ])
    process.stderr.write(
      `${reportOf(`Postgres's clients; ${result.hits} hits, ${result.meanwhile} requests meanwhile`, result)}\n`,
    )
    expect([...brokenIn(result), ...result.commitsBack, ...result.gaps]).toEqual([])
    expect(result.audit.inFlight).toBe(0)
    expect(result.hits).toBeGreaterThan(0)
    expect(result.meanwhile).toBeGreaterThan(0)
  }, 300_000)
})

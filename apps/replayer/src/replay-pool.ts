import { setTimeout as sleep } from 'node:timers/promises'
import { ProducerClosed } from '@posthorn/kafka'
import { isDatabaseAway, type ReplayRow, type Replays } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'
import { Ahead, type Finished } from './ahead.js'
import type { ReplayerMetrics } from './replayer-metrics.js'
import { runReplay, type RunParts } from './run-replay.js'
import { LogAway, ReplayImpossible } from './selector.js'

export interface PoolParts extends Pick<RunParts, 'select' | 'send'> {
  readonly finished: Finished
  readonly replays: Replays
  /** Names this process among all replayers. */
  readonly worker: string
  readonly metrics: ReplayerMetrics
  readonly logger: Logger
}

const MOST_AT_WORK = 8
/** With all places taken, a replay gives its place up after this: slow ones must not keep others from beginning. */
const SLICE_MS = 5_000
const LOOK_EVERY_MS = 500
/** What a killed process had claimed is free after this. */
const LEASE_MS = 15_000
const RENEW_EVERY_MS = LEASE_MS / 5
const RETRY_MS = 1000
/** Failures of our own code in a row; what is away is waited for without end. */
const MOST_FAILURES = 5
const OUR_FAILURE = 'Posthorn failed on it several times: see the log of the replayer.'
const SWEEP_EVERY_MS = 3600_000
const KEPT_MS = 30 * 24 * 3600_000

/** Claims replays and works on several at once. */
export class ReplayPool {
  private readonly stopping = new AbortController()
  private readonly working = new Set<Promise<void>>()
  private looking: Promise<void> = Promise.resolve()
  private sweptAt = -Infinity

  constructor(private readonly parts: PoolParts) {
    parts.metrics.observe(() => this.working.size)
  }

  start(): void {
    this.looking = this.look()
  }

  /** Begins nothing more; resolves when what is under way has been saved, or after `boundMs`. */
  async stop(boundMs: number): Promise<void> {
    this.stopping.abort()
    const over = this.looking.then(() => Promise.all(this.working))
    await Promise.race([over, sleep(boundMs, undefined, { ref: false })])
  }

  private async look(): Promise<void> {
    const { signal } = this.stopping
    let said = ''
    while (!signal.aborted) {
      try {
        await this.claimAll()
        await this.sweep()
        said = ''
      } catch (error) {
        if (String(error) !== said) this.parts.logger.warn({ err: error }, 'replays wait')
        said = String(error)
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  private async claimAll(): Promise<void> {
    const { replays, worker } = this.parts
    while (this.working.size < MOST_AT_WORK && !this.stopping.signal.aborted) {
      const replay = await replays.claim(worker, LEASE_MS)
      if (!replay) return
      const work: Promise<void> = this.work(replay).finally(() => this.working.delete(work))
      this.working.add(work)
    }
  }

  private async work({ id }: ReplayRow): Promise<void> {
    const { replays, worker, finished } = this.parts
    const ahead = new Ahead(finished)
    const alive = setInterval(() => void replays.renew(id, worker, LEASE_MS).catch(() => undefined), RENEW_EVERY_MS)
    try {
      for (let failures = 0; ;) {
        const result = await this.attempt(id, ahead, failures)
        if (result === 'over') return
        if (result === 'failed') failures++
        await sleep(RETRY_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined)
      }
    } finally {
      clearInterval(alive)
    }
  }

  /** Unless it is over, the work goes on at the position that was saved. */
  private async attempt(id: string, ahead: Ahead, failures: number): Promise<'over' | 'away' | 'failed'> {
    const { replays, worker, logger, metrics } = this.parts
    try {
      const replay = await replays.own(id, worker)
      if (!replay) return 'over'
      const end = await runReplay(replay, this.runParts(ahead, performance.now() + SLICE_MS), this.stopping.signal)
      if (end === 'done') await replays.finish(id, worker, 'done', null)
      // Also of one that was paused after its last step: it is finished when it is resumed.
      await replays.release(id, worker)
      metrics.ended(end)
      return 'over'
    } catch (error) {
      if (error instanceof ProducerClosed || this.stopping.signal.aborted) return 'over'
      const away = isDatabaseAway(error) || error instanceof LogAway
      const hopeless = error instanceof ReplayImpossible || (!away && failures + 1 >= MOST_FAILURES)
      if (hopeless) return this.fail(id, error as Error)
      logger.warn({ err: error, replay: id }, 'a replay waits and goes on')
      return away ? 'away' : 'failed'
    }
  }

  /** Tells the owner in words that are meant for it; the rest is in the log. */
  private async fail(id: string, error: Error): Promise<'over' | 'failed'> {
    const { replays, worker, logger, metrics } = this.parts
    logger.error({ alert: 'replay_failed', err: error, replay: id }, 'a replay failed')
    const failure = error instanceof ReplayImpossible ? error.message : OUR_FAILURE
    try {
      await replays.finish(id, worker, 'failed', failure)
      metrics.ended('failed')
      return 'over'
    } catch {
      return 'failed'
    }
  }

  private runParts(ahead: Ahead, sliceEnds: number): RunParts {
    const { replays, worker, select, send, metrics } = this.parts
    return {
      select,
      send,
      ahead,
      metrics,
      makeRoom: () => this.working.size >= MOST_AT_WORK && performance.now() > sliceEnds,
      begin: (id, position, total) => replays.begin(id, worker, position, total),
      advance: (id, step) => replays.advance(id, worker, LEASE_MS, step),
    }
  }

  private async sweep(): Promise<void> {
    if (performance.now() - this.sweptAt < SWEEP_EVERY_MS) return
    await this.parts.replays.sweep(new Date(Date.now() - KEPT_MS))
    this.sweptAt = performance.now()
  }
}

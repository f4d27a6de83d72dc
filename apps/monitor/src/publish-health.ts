import { setTimeout as sleep } from 'node:timers/promises'
import type { HealthCounts, HealthReport } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'
import {
  encodeHealth,
  encodeNoHealth,
  encodeOwnEvent,
  EVENTS,
  WEBHOOK_STATE,
  type OwnEvent,
  type TopicContract,
  type TopicRecord,
} from '@posthorn/topics'
import type { HealthMetrics } from './health-metrics.js'

export interface HealthParts {
  /** See HealthReports. */
  readonly reports: {
    unpublished(limit: number): Promise<readonly HealthReport[]>
    published(report: HealthReport): Promise<void>
    counts(): Promise<HealthCounts>
    sweep(now: number): Promise<void>
  }
  /** See sendOwnEvents. */
  sendOwn(limit: number, send: (events: readonly OwnEvent[]) => Promise<unknown>): Promise<number>
  /** Resolves when the record is acknowledged. */
  send(topic: TopicContract, record: TopicRecord): Promise<unknown>
  readonly metrics: HealthMetrics
  readonly logger: Logger
}

const EVERY_MS = 1000
const BATCH = 100
/** Rounds between two looks at how many webhooks fail, and between two sweeps. */
const COUNT_EVERY = 15
const SWEEP_EVERY = 600

/**
 * Brings what the database says of the health of webhooks to webhook-state.v1, and events of our own to
 * events.v1. Several may do so at once: revisions and ids make one of what is sent twice.
 */
export class HealthPublisher {
  private readonly stopping = new AbortController()
  private running: Promise<void> = Promise.resolve()

  constructor(private readonly parts: HealthParts) {}

  start(): void {
    this.running = this.run()
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.running
  }

  private async run(): Promise<void> {
    let said = false
    for (let round = 0; !this.stopping.signal.aborted; round++) {
      try {
        await this.publish()
        if (round % COUNT_EVERY === 0) this.parts.metrics.counted(await this.parts.reports.counts())
        if (round % SWEEP_EVERY === 0) await this.parts.reports.sweep(Date.now())
        said = false
      } catch (error) {
        if (!said) this.parts.logger.warn({ err: error }, 'the health of webhooks waits to be published')
        said = true
      }
      await sleep(EVERY_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined)
    }
  }

  private async publish(): Promise<void> {
    const { reports, send, sendOwn } = this.parts
    for (const report of await reports.unpublished(BATCH)) {
      await send(WEBHOOK_STATE, recordOf(report))
      await reports.published(report)
      this.tell(report)
    }
    await sendOwn(BATCH, events => Promise.all(events.map(event => send(EVENTS, encodeOwnEvent(event)))))
  }

  private tell(report: HealthReport): void {
    if (report.kind === 'deleted') return
    const { webhook, tenant, health, failingSince, failures } = report.health
    this.parts.metrics.changed(health)
    const since = failingSince === undefined ? undefined : new Date(failingSince).toISOString()
    const line = { webhook, tenant, health, failing_since: since, failures }
    switch (health) {
      case 'failing':
        return this.parts.logger.warn(line, 'this webhook does nothing but fail: it will be disabled')
      case 'due':
        return this.parts.logger.warn(line, 'this webhook has failed for too long: it is to be disabled')
      case 'healthy':
        return this.parts.logger.info(line, 'this webhook is no longer failing')
    }
  }
}

function recordOf(report: HealthReport): TopicRecord {
  return report.kind === 'deleted' ? encodeNoHealth(report.webhook) : encodeHealth(report.health)
}

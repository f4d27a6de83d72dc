import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { metrics } from '@opentelemetry/api'
import type { Logger } from '@posthorn/telemetry'
import { encodeEvent, EVENTS, type TopicContract, type TopicRecord } from '@posthorn/topics'
import { OWN_SOURCE, PROBE_TENANT, PROBE_TYPE } from '@posthorn/webhook'

export interface ProbeParts {
  /** 0: none are sent. */
  readonly everyMs: number
  /** Resolves when Kafka has the record. */
  send(topic: TopicContract, record: TopicRecord): Promise<unknown>
  readonly logger: Logger
}

/** Sends an event the whole way at an interval; the deliverer that gets it tells how old it was. Every monitor does so. */
export class Prober {
  private readonly stopping = new AbortController()
  private running: Promise<void> = Promise.resolve()
  private readonly sent = metrics.getMeter('posthorn').createCounter('posthorn_monitor_probes', {
    description: 'Probes, by whether Kafka took them.',
  })

  constructor(private readonly parts: ProbeParts) {}

  start(): void {
    if (this.parts.everyMs > 0) this.running = this.run()
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.running
  }

  private async run(): Promise<void> {
    let said = false
    while (!this.stopping.signal.aborted) {
      try {
        await this.parts.send(EVENTS, probeAt(new Date()))
        this.sent.add(1, { result: 'sent' })
        said = false
      } catch (error) {
        this.sent.add(1, { result: 'failed' })
        if (!said && !this.stopping.signal.aborted) this.parts.logger.warn({ err: error }, 'a probe was not sent')
        said = true
      }
      await sleep(this.parts.everyMs, undefined, { signal: this.stopping.signal }).catch(() => undefined)
    }
  }
}

function probeAt(now: Date): TopicRecord {
  const time = now.toISOString()
  const event = { tenant: PROBE_TENANT, id: randomUUID(), source: OWN_SOURCE, type: PROBE_TYPE, time }
  return encodeEvent({ ...event, contenttype: 'application/json' }, Buffer.from(JSON.stringify({ sent_at: time })))
}

import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  ProducerClosed,
  RecordRefused,
  type ConsumedRecord,
  type PartitionClaim,
  type RecordBatch,
} from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import type { PoisonReason } from '@posthorn/topics'
import { isFinal, type CircuitChange, type Reaction } from '@posthorn/webhook'
import type { AttemptsTail } from './attempts-tail.js'
import { deliver, type Delivered, type DeliverParts } from './deliver.js'
import type { SpillReason } from './deliverer-metrics.js'
import { Hold, MAX_LAG_MS, type WebhookTable } from './hold.js'
import { Intake } from './intake.js'
import { WebhookQueues, type QueueLimits } from './queues.js'
import { postpone, setAside } from './record.js'
import { Strain } from './strain.js'
import type { Work } from './work.js'

export interface LoopOptions extends DeliverParts {
  readonly webhooks: WebhookTable
  readonly limits: QueueLimits
  readonly tail: Pick<AttemptsTail, 'read'>
  readonly logger: Logger
  /** False while another process may own our partitions: nothing is sent then. */
  healthy(): boolean
  fatal(error: Error): void
}

const MAX_FAILURES = 3
/** How often hanging requests are noticed, and a return to health. */
const TICK_MS = 250
/** Records are taken in for so long, then answers and requests get their turn. */
const INTAKE_MS = 5

/** Moves work from the consumer through the queues into attempts, and finishes offsets. */
export class DeliveryLoop {
  private readonly queues: WebhookQueues<Work>
  private readonly intake: Intake
  private readonly hold: Hold<Work>
  private readonly owned = new Map<PartitionClaim, number>()
  private readonly pending = new Set<Promise<void>>()
  private timer: NodeJS.Timeout | undefined
  /** For what a rate limit lets start before the next tick, and when. */
  private alarm: NodeJS.Timeout | undefined
  private alarmAt = Infinity
  private readonly strain = new Strain()
  private readonly incoming: RecordBatch[] = []
  private takingIn = false
  private stopped = false
  /** Attempts under way and not yet recorded: what a crash would repeat, and what Kafka away must bound. */
  private unrecorded = 0
  private readonly maxUnrecorded: number

  constructor(private readonly options: LoopOptions) {
    const { metrics, webhooks, limits } = options
    this.maxUnrecorded = 2 * limits.sockets
    this.queues = new WebhookQueues(limits, webhook => webhooks.get(webhook))
    this.intake = new Intake({
      metrics,
      undecodable: (claim, record, detail) => this.track(this.poison(claim, record, detail)),
      newer: (record, version) => this.tooNew(record, version),
      ready: work => this.admit(work),
    })
    this.hold = new Hold<Work>({
      table: webhooks,
      now: Date.now,
      due: work => this.admit(work),
      known: work => this.queue(work),
      lagging: work => this.lagging(work),
      failed: error => options.fatal(error as Error),
    })
    metrics.watch(this.queues, () => this.hold.size)
  }

  start(): void {
    this.strain.start()
    this.timer = setInterval(() => this.tick(), TICK_MS)
  }

  enqueue(batch: RecordBatch): void {
    this.incoming.push(batch)
    if (this.takingIn) return
    this.takingIn = true
    this.track(this.takeIn())
  }

  /** New partitions; their first records wait until it is known what was attempted before. */
  async assigned(claims: readonly PartitionClaim[]): Promise<void> {
    for (const claim of claims) this.owned.set(claim, claim.partition)
    this.intake.keepOnly(new Set(this.owned.values()))
    // The topics' equal partitions come together: one of their claims stands for all.
    const partitions = new Map(claims.map(({ partition, revoked }) => [partition, revoked]))
    await Promise.all(
      [...partitions].map(([partition, revoked]) =>
        this.options.tail.read(partition, revoked, attempt => this.intake.recall(partition, attempt)),
      ),
    )
  }

  /** Lost partitions: what has not been sent is the next owner's. */
  revoked(claims: readonly PartitionClaim[]): void {
    for (const claim of claims) this.owned.delete(claim)
    for (const work of this.queues.remove(({ completion }) => !completion.owned)) this.intake.release(work)
  }

  /** Starts nothing more; resolves when what is under way is recorded, or after `boundMs`. */
  async stop(boundMs: number): Promise<void> {
    this.stopped = true
    clearInterval(this.timer)
    clearTimeout(this.alarm)
    this.strain.stop()
    this.hold.stop()
    const deadline = Date.now() + boundMs
    while (this.pending.size > 0 && Date.now() < deadline)
      await within(deadline - Date.now(), Promise.all(this.pending))
  }

  private async takeIn(): Promise<void> {
    let turnEnds = performance.now() + INTAKE_MS
    for (let batch = this.incoming.shift(); batch; batch = this.incoming.shift())
      for (const record of batch.records) {
        if (this.stopped || batch.claim.revoked.aborted) break
        const work = this.intake.accept(batch.claim, record)
        if (work) this.admit(work)
        if (performance.now() < turnEnds) continue
        await nextTurn()
        turnEnds = performance.now() + INTAKE_MS
      }
    this.takingIn = false
  }

  private admit(work: Work): void {
    switch (this.hold.reason(work)) {
      case 'none':
        return this.queue([work])
      case 'early':
        return this.hold.untilDue(work)
      case 'later':
        return this.track(this.moveToTier(work, 'early', work.delivery.due))
      case 'configuration':
        return this.hold.untilKnown(work)
    }
  }

  private queue(ready: readonly Work[]): void {
    const now = Date.now()
    for (const work of ready) this.queues.push(work, now)
    this.pump()
  }

  private tick(): void {
    this.queues.refresh(Date.now())
    this.pump()
    this.spill()
  }

  private pump(): void {
    while (!this.stopped && this.unrecorded < this.maxUnrecorded && this.options.healthy()) {
      const now = Date.now()
      const work = this.queues.take(now)
      if (!work) return this.wakeLater(now)
      this.track(this.run(work))
    }
  }

  private wakeLater(now: number): void {
    const at = this.queues.wakesAt
    if (at >= this.alarmAt || at >= now + TICK_MS) return
    clearTimeout(this.alarm)
    this.alarmAt = at
    this.alarm = setTimeout(() => {
      this.alarmAt = Infinity
      this.pump()
    }, at - now)
  }

  private async run(work: Work): Promise<void> {
    if (!work.completion.owned) {
      this.queues.finish(work, Date.now())
      return this.intake.release(work)
    }
    const result = await this.attempt(work)
    switch (result.kind) {
      case 'recorded':
        this.intake.finish(work, isFinal(result.outcome.kind) ? 'final' : 'tier')
        work.completion.done()
        break
      case 'postpone':
        await this.moveToTier(work, result.reason, result.due, result.now)
        break
      case 'threw':
        await this.failed(work, result.error)
    }
    this.pump()
  }

  /** The webhook's next request need not wait for Kafka to record this one. */
  private async attempt(work: Work): Promise<Delivered | { kind: 'threw'; error: unknown }> {
    const over = (reaction?: Reaction, retryAfterMs?: number) =>
      this.tellCircuit(work, this.queues.finish(work, Date.now(), reaction, retryAfterMs))
    this.unrecorded++
    try {
      return await deliver(work, this.options, (reaction, retryAfterMs) => {
        over(reaction, retryAfterMs)
        this.pump()
      })
    } catch (error) {
      return { kind: 'threw', error }
    } finally {
      this.unrecorded--
      over()
    }
  }

  private tellCircuit({ delivery: { webhook, tenant } }: Work, change: CircuitChange | undefined): void {
    if (change === undefined) return
    this.options.metrics.circuit(change)
    if (change === 'opened')
      this.options.logger.warn(
        { webhook, tenant, circuit: change },
        'requests to this webhook only fail: its deliveries wait in delay topics, and a probe is sent now and then',
      )
    else this.options.logger.info({ webhook, tenant, circuit: change }, 'this webhook answers again')
  }

  /** Without health nothing is sent, and nothing is moved either: the queues say nothing about the webhooks then. */
  private spill(): void {
    const now = Date.now()
    this.queues.observe(now, this.strain.sinceLast())
    if (this.stopped || !this.options.healthy()) return
    for (const { work, due, reason } of this.queues.overflow(now)) this.track(this.moveToTier(work, reason, due))
  }

  private lagging(group: readonly Work[]): void {
    const { delivery } = group[0]!
    this.options.metrics.lagged()
    this.options.logger.error(
      {
        alert: 'configuration_lag',
        webhook: delivery.webhook,
        version: delivery.webhookVersion,
        known: this.options.webhooks.get(delivery.webhook)?.version,
        deliveries: group.length,
      },
      'the router matched a version of this webhook that has not arrived here: its deliveries wait in a delay topic',
    )
    const now = Date.now()
    for (const work of group) this.track(this.moveToTier(work, 'configuration', now + MAX_LAG_MS, now))
  }

  private async moveToTier(work: Work, reason: SpillReason, due: number, now = Date.now()): Promise<void> {
    try {
      if (work.completion.owned) {
        await postpone(this.options.output, work, due, now)
        this.options.metrics.spilled(reason)
      }
      this.intake.release(work)
      work.completion.done()
    } catch (error) {
      await this.failed(work, error)
    }
  }

  /** Our own failure. Closing leaves the offset to the next owner; code that throws three times gives the record up. */
  private async failed(work: Work, error: unknown): Promise<void> {
    if (error instanceof ProducerClosed) return
    const { partition, record } = work
    const place = { topic: record.topic.name, partition, offset: record.offset, delivery: work.delivery.id }
    if (++work.failures < MAX_FAILURES && !(error instanceof RecordRefused)) {
      this.options.logger.warn({ ...place, err: error }, 'handling this delivery failed: it is tried again')
      return this.queue([work])
    }
    this.options.logger.error(
      { alert: 'handler_failed', ...place, err: error },
      'handling this delivery failed for good: it is set aside in the poison topic',
    )
    await this.aside(record, 'handler_failed', error instanceof Error ? error.message : String(error), () => {
      this.intake.finish(work, 'final')
      work.completion.done()
    })
  }

  private async poison(claim: PartitionClaim, record: ConsumedRecord, detail: string): Promise<void> {
    const { topic, partition, offset } = record
    this.options.logger.error(
      { alert: 'undecodable', topic: topic.name, partition, offset, detail },
      'this record is no delivery: it is set aside in the poison topic',
    )
    await this.aside(record, 'undecodable', detail, () => claim.done(offset))
  }

  private async aside(
    record: ConsumedRecord,
    reason: PoisonReason,
    detail: string,
    acknowledged: () => void,
  ): Promise<void> {
    try {
      await setAside(this.options.output, record, reason, detail)
    } catch (error) {
      if (error instanceof ProducerClosed) return
      const place = `${record.topic.name}/${record.partition}/${record.offset}`
      return this.options.fatal(new Error(`the record at ${place} cannot be set aside`, { cause: error }))
    }
    this.options.metrics.setAside(reason)
    acknowledged()
  }

  private tooNew({ topic, partition, offset }: ConsumedRecord, version: number): void {
    this.stopped = true
    const place = `${topic.name}/${partition}/${offset}`
    this.options.fatal(new Error(`the record at ${place} has frame version ${version}: upgrade the deliverer`))
  }

  private track(work: Promise<void>): void {
    this.pending.add(work)
    work.catch((error: unknown) => this.options.fatal(error as Error)).finally(() => this.pending.delete(work))
  }
}

function within(ms: number, work: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout
  const bound = new Promise(resolve => (timer = setTimeout(resolve, ms)))
  return Promise.race([work, bound]).finally(() => clearTimeout(timer))
}

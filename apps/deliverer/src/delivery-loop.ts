import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import {
  ProducerClosed,
  RecordRefused,
  type ConsumedRecord,
  type PartitionClaim,
  type RecordBatch,
} from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import { BULK, DELIVERIES } from '@posthorn/topics'
import { isFinal, keepsDeliveries, type CircuitChange, type Reaction, type Webhook } from '@posthorn/webhook'
import type { AttemptsTail } from './attempts-tail.js'
import { BulkGate } from './bulk-gate.js'
import { deliver, type Delivered, type DeliverParts } from './deliver.js'
import type { SpillReason } from './deliverer-metrics.js'
import { Hold, MAX_LAG_MS, type WebhookTable } from './hold.js'
import { Intake } from './intake.js'
import { WebhookQueues, type QueueLimits } from './queues.js'
import { Moves } from './moves.js'
import { Ordering, type OrderingParts } from './ordering.js'
import type { Parking } from './parking.js'
import { nextAttempt, type Ended } from './record.js'
import { setAside, setAsideUndecodable } from './set-aside.js'
import { Strain } from './strain.js'
import { isOrdered, type Work } from './work.js'

export interface LoopOptions extends DeliverParts {
  readonly webhooks: WebhookTable & { values(): Iterable<Webhook> }
  readonly limits: QueueLimits
  readonly tail: Pick<AttemptsTail, 'read'>
  readonly places: OrderingParts['places']
  readonly secondReader: OrderingParts['reader']
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
/** How often it is looked whether all is recorded before a rebalance. */
const QUIET_EVERY_MS = 10

/** Moves work from the consumer through the queues into attempts, and finishes offsets. */
export class DeliveryLoop {
  private readonly queues: WebhookQueues<Work>
  private readonly intake: Intake
  private readonly hold: Hold<Work>
  private readonly gate: BulkGate
  private readonly ordering: Ordering
  private readonly moves: Moves
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
      undecodable: (owner, record, detail) => this.track(setAsideUndecodable(owner, record, detail, options)),
      newer: (record, version) => this.tooNew(record, version),
      ready: work => (isOrdered(work) ? this.ordering.goOn(work, Date.now()) : this.admit(work)),
    })
    this.hold = new Hold<Work>({
      table: webhooks,
      now: Date.now,
      due: work => this.admit(work),
      known: work => this.queue(work),
      lagging: work => this.lagging(work),
      failed: error => options.fatal(error as Error),
    })
    this.gate = new BulkGate({ bytes: limits.bytesPerWebhook / 2, letIn: work => this.letIn(work) })
    this.ordering = new Ordering({
      places: options.places,
      intake: this.intake,
      reader: options.secondReader,
      send: work => this.admit(work),
      withdraw: webhook => this.queues.withdraw(webhook),
      isPaused: webhook => keepsDeliveries(webhooks.get(webhook)?.status),
      track: work => this.track(work),
    })
    this.moves = new Moves({
      output: options.output,
      mayBegin: () => !this.stopped && options.healthy(),
      moved: reason => metrics.spilled(reason),
      release: work => this.intake.release(work),
      failed: (work, error) => this.failed(work, error),
      track: work => this.track(work),
    })
    metrics.watch({ queues: this.queues, hold: this.hold, gate: this.gate, ordering: this.ordering, webhooks })
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
    this.gate.assigned(claims.filter(({ topic }) => topic === BULK))
    this.intake.keepOnly(new Set(this.owned.values()))
    // The topics' equal partitions come together: one of their claims stands for all.
    const partitions = new Map(claims.map(({ partition, revoked }) => [partition, revoked]))
    const recalled = Promise.all(
      [...partitions].map(([partition, revoked]) =>
        this.options.tail.read(partition, revoked, attempt => this.intake.recall(partition, attempt)),
      ),
    )
    await Promise.all([this.ordering.assigned(claims, recalled), recalled])
  }

  /** Lost partitions: what has not been sent is the next owner's. */
  revoked(claims: readonly PartitionClaim[]): void {
    for (const claim of claims) this.owned.delete(claim)
    this.ordering.revoked(claims)
    this.gate.revoked(claims)
    for (const work of this.queues.remove(({ completion }) => !completion.owned)) this.intake.release(work)
  }

  /** Resolves when every attempt under way is recorded: then who gets its partition knows of it. Starts nothing while not healthy. */
  async quiet(signal: AbortSignal): Promise<void> {
    while (this.unrecorded > 0 && !signal.aborted) await sleep(QUIET_EVERY_MS)
  }

  /** Its document says that it is paused. */
  paused(webhook: string): void {
    this.ordering.paused(webhook, Date.now())
  }

  /** Starts nothing more; resolves when what is under way is recorded, or after `boundMs`. */
  async stop(boundMs: number): Promise<void> {
    this.stopped = true
    clearInterval(this.timer)
    clearTimeout(this.alarm)
    this.strain.stop()
    this.hold.stop()
    this.gate.stop()
    const deadline = Date.now() + boundMs
    while (this.pending.size > 0 && Date.now() < deadline)
      await within(deadline - Date.now(), Promise.all(this.pending))
  }

  private async takeIn(): Promise<void> {
    let turnEnds = performance.now() + INTAKE_MS
    for (let batch = this.incoming.shift(); batch; batch = this.incoming.shift()) {
      const parking = batch.claim.topic === DELIVERIES ? this.ordering.of(batch.claim) : undefined
      for (const record of batch.records) {
        if (this.stopped || batch.claim.revoked.aborted) break
        if (parking) parking.passed = record.offset + 1
        const work = this.intake.read(batch.claim, record, true)
        if (work) this.takeInOne(work, parking)
        if (performance.now() < turnEnds) continue
        await nextTurn()
        turnEnds = performance.now() + INTAKE_MS
      }
    }
    this.takingIn = false
  }

  private takeInOne(work: Work, parking: Parking<Work> | undefined): void {
    if (work.record.topic === BULK) return this.gate.add(work)
    if (parking) this.gate.live(Date.now() - work.delivery.acceptedAt)
    if (parking && (work.delivery.order !== undefined || (!parking.isIdle && parking.concerns(work.delivery.webhook))))
      parking.live(work, Date.now())
    else this.letIn(work)
  }

  private letIn(work: Work): void {
    if (this.intake.isNew(work)) this.admit(work)
  }

  private admit(work: Work): void {
    switch (this.hold.reason(work)) {
      case 'none':
        return this.queue([work])
      case 'early':
        return this.hold.untilDue(work)
      case 'later':
        return this.later(work, 'early', work.delivery.due)
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
    const now = Date.now()
    this.queues.refresh(now)
    this.ordering.tick(now)
    this.gate.tick()
    this.pump()
    this.moves.goOn()
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
        this.recorded(work, result.ended)
        break
      case 'postpone':
        if (result.reason === 'paused' && work.lane === 'fresh') this.ordering.parkWhole([work], result.now, result.now)
        else this.later(work, result.reason, result.due, result.now)
        break
      case 'threw':
        await this.failed(work, result.error)
    }
    this.pump()
  }

  private recorded(work: Work, { outcome, attempt }: Ended): void {
    if (outcome.kind === 'retry' && isOrdered(work)) {
      work.delivery = nextAttempt(work.delivery, attempt, outcome.due)
      return this.ordering.retry(work, outcome.due, Date.now())
    }
    this.intake.finish(work, isFinal(outcome.kind) ? 'final' : 'tier')
    this.over(work)
  }

  private over(work: Work): void {
    work.completion.done()
    if (isOrdered(work)) this.ordering.ended(work, Date.now())
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
    const stuck = new Map<string, { readonly works: Work[]; readonly due: number }>()
    for (const { work, due, reason } of this.queues.overflow(now)) {
      const { webhook } = work.delivery
      if (reason !== 'circuit' || !isOrdered(work)) this.later(work, reason, due)
      else if (stuck.has(webhook)) stuck.get(webhook)!.works.push(work)
      else stuck.set(webhook, { works: [work], due })
    }
    for (const { works, due } of stuck.values()) this.ordering.parkWhole(works, due, now)
  }

  /** To be attempted at `due` and not before: ordered work where its key is, all other in a delay topic. */
  private later(work: Work, reason: SpillReason, due: number, now = Date.now()): void {
    if (isOrdered(work)) this.ordering.retry(work, due, now)
    else this.moves.add({ work, reason, due, now })
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
    for (const work of group) this.later(work, 'configuration', now + MAX_LAG_MS, now)
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
    const detail = error instanceof Error ? error.message : String(error)
    if (!(await setAside(record, 'handler_failed', detail, this.options))) return
    // As if never seen: no attempt says how it went on, and what is redriven must not pass for a repeat.
    this.intake.release(work)
    this.over(work)
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

import type { Webhook } from '@posthorn/webhook'

/** Where webhooks are known, and how one waits for a newer version. */
export interface WebhookTable {
  /** Resolves when all webhooks of the registry are there: before, one that is missing says nothing. */
  readonly whole: Promise<void>
  get(id: string): Webhook | undefined
  waitFor(id: string, version: number, timeoutMs: number): Promise<boolean>
  readToEnd(): Promise<void>
}

export interface Holdable {
  readonly delivery: { readonly webhook: string; readonly webhookVersion: number; readonly due: number }
}

/** A webhook's version that the router knew is surely on its topic: longer than this means that something is wrong. */
export const MAX_LAG_MS = 30_000
/** What is due later than this waits in a delay topic instead of here. */
export const MAX_EARLY_MS = 5_000
/** Clocks of one machine differ by less. */
const EARLY_TOLERANCE_MS = 1

export interface HoldOptions<W> {
  readonly table: WebhookTable
  readonly now: () => number
  /** Its time has come. */
  due(work: W): void
  /** The version is there, or surely no document at all is: the attempt then finds out which. */
  known(work: readonly W[]): void
  /** The version did not come. */
  lagging(work: readonly W[]): void
  /** The table gave up; what is held stays unfinished. */
  failed(error: unknown): void
}

/** Work that may not be attempted yet, although it is here: too early, or for a webhook version that is not here yet. */
export class Hold<W extends Holdable> {
  /** One wait for each webhook and version, however many deliveries wait with it. */
  private readonly lagging = new Map<string, W[]>()
  private readonly timers = new Set<NodeJS.Timeout>()
  private early = 0
  private stopped = false

  constructor(private readonly options: HoldOptions<W>) {}

  get size(): number {
    let size = this.early
    for (const group of this.lagging.values()) size += group.length
    return size
  }

  /** Why this work has to wait: not at all, for its time, or for its webhook. */
  reason({ delivery }: W): 'none' | 'early' | 'later' | 'configuration' {
    const early = delivery.due - this.options.now()
    if (early >= MAX_EARLY_MS) return 'later'
    if (early > EARLY_TOLERANCE_MS) return 'early'
    const known = this.options.table.get(delivery.webhook)
    return known !== undefined && known.version >= delivery.webhookVersion ? 'none' : 'configuration'
  }

  /** Keeps work until its due time, which is less than MAX_EARLY_MS away. */
  untilDue(work: W): void {
    this.early++
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      this.early--
      if (!this.stopped) this.options.due(work)
    }, work.delivery.due - this.options.now())
    this.timers.add(timer)
  }

  /** Keeps work until its webhook's version is known, no document is found for it, or MAX_LAG_MS have passed. */
  untilKnown(work: W): void {
    const { webhook, webhookVersion } = work.delivery
    const key = `${webhook}/${webhookVersion}`
    const group = this.lagging.get(key)
    if (group) return void group.push(work)
    this.lagging.set(key, [work])
    this.wait(webhook, webhookVersion).then(
      known => this.end(key, known),
      (error: unknown) => {
        if (!this.stopped) this.options.failed(error)
      },
    )
  }

  stop(): void {
    this.stopped = true
    for (const timer of this.timers) clearTimeout(timer)
    this.timers.clear()
  }

  /** The limit counts from a table read to its end: while Kafka is away nobody is late. */
  private async wait(webhook: string, version: number): Promise<boolean> {
    const { table } = this.options
    await table.whole
    await table.readToEnd()
    if (table.get(webhook) === undefined) return true
    return table.waitFor(webhook, version, MAX_LAG_MS)
  }

  private end(key: string, known: boolean): void {
    const group = this.lagging.get(key) ?? []
    this.lagging.delete(key)
    if (this.stopped) return
    if (known) this.options.known(group)
    else this.options.lagging(group)
  }
}

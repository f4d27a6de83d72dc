import type { HistoryPartitions } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'

const EVERY_MS = 10 * 60_000
const AGAIN_MS = 30_000

/** Makes the next days' partitions and drops expired ones, now and every ten minutes. */
export class DayKeeper {
  private timer?: NodeJS.Timeout
  private stopped = false

  constructor(
    private readonly partitions: HistoryPartitions,
    private readonly logger: Logger,
  ) {}

  start(): void {
    void this.turn()
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
  }

  private async turn(): Promise<void> {
    const next = await this.keep()
    if (!this.stopped) this.timer = setTimeout(() => void this.turn(), next)
  }

  /** When to look again. Postgres away is no reason to stop: the writer makes days on demand, too. */
  private async keep(): Promise<number> {
    try {
      const dropped = await this.partitions.maintain(Date.now())
      if (dropped.length > 0) this.logger.info({ dropped }, 'history is past its retention')
      return EVERY_MS
    } catch (error) {
      this.logger.warn({ err: error }, 'the partitions of the history were not looked after: tried again')
      return AGAIN_MS
    }
  }
}

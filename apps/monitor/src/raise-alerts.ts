import { setTimeout as sleep } from 'node:timers/promises'
import { metrics } from '@opentelemetry/api'
import type { AlertChange } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'
import { ALERT_RULES, type AlertRule } from '@posthorn/webhook'

export interface AlertParts {
  /** See AlertKeeper. */
  readonly keeper: {
    look(now: number): Promise<readonly AlertChange[]>
    firing(): Promise<ReadonlyMap<AlertRule, number>>
  }
  readonly logger: Logger
}

const EVERY_MS = 10_000

/** Has alerts fire and end. Several monitors may do so at once; the events go out with those of webhooks' health. */
export class AlertLoop {
  private readonly stopping = new AbortController()
  private running: Promise<void> = Promise.resolve()
  private firing: ReadonlyMap<AlertRule, number> | undefined

  constructor(private readonly parts: AlertParts) {
    metrics
      .getMeter('posthorn')
      .createObservableGauge('posthorn_monitor_alerts_firing', { description: 'Alerts that fire now, by rule.' })
      .addCallback(result => {
        for (const rule of this.firing ? ALERT_RULES : []) result.observe(this.firing!.get(rule) ?? 0, { rule })
      })
  }

  start(): void {
    this.running = this.run()
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.running
  }

  private async run(): Promise<void> {
    let said = false
    while (!this.stopping.signal.aborted) {
      try {
        for (const change of await this.parts.keeper.look(Date.now())) this.tell(change)
        this.firing = await this.parts.keeper.firing()
        said = false
      } catch (error) {
        this.firing = undefined
        if (!said) this.parts.logger.warn({ err: error }, 'whether alerts are to fire is not known')
        said = true
      }
      await sleep(EVERY_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined)
    }
  }

  private tell({ alert: id, rule, tenant, webhook, count, ended }: AlertChange): void {
    const line = { alert: rule, alert_id: id, tenant, webhook, attempts: count.attempts, delivered: count.delivered }
    if (ended === undefined) this.parts.logger.error(line, 'too few attempts deliver: an alert fires')
    else this.parts.logger.info({ ...line, by: ended }, 'an alert has ended')
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { metrics } from '@opentelemetry/api'
import type { AlertChange, OutsideReadings } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'
import { ALERT_METRICS, alertSentence } from '@posthorn/webhook'
import type { AlertsInLog } from './alerts-in-log.js'

export interface AlertParts {
  /** See AlertKeeper. */
  readonly keeper: {
    look(now: number, outside: OutsideReadings): Promise<readonly AlertChange[]>
    firing(): Promise<ReadonlyMap<string, number>>
  }
  /** See KafkaWatch. */
  readonly outside: () => OutsideReadings
  readonly inLog: Pick<AlertsInLog, 'look' | 'forget'>
  readonly everySeconds: number
  readonly logger: Logger
}

/** Has alerts fire and end. Several monitors may do so at once; the events go out with those of webhooks' health. */
export class AlertLoop {
  private readonly stopping = new AbortController()
  private running: Promise<void> = Promise.resolve()
  private firing: ReadonlyMap<string, number> | undefined

  constructor(private readonly parts: AlertParts) {
    metrics
      .getMeter('posthorn')
      .createObservableGauge('posthorn_monitor_alerts_firing', { description: 'Alerts that fire now, by metric.' })
      .addCallback(result => {
        for (const rule of this.firing ? ALERT_METRICS : []) result.observe(this.firing!.get(rule) ?? 0, { rule })
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
      const outside = this.parts.outside()
      try {
        for (const change of await this.parts.keeper.look(Date.now(), outside)) this.tell(change)
        this.firing = await this.parts.keeper.firing()
        this.parts.inLog.forget()
        said = false
      } catch (error) {
        this.firing = undefined
        if (!said) this.parts.logger.warn({ err: error }, 'whether alerts are to fire is not known')
        said = true
        this.parts.inLog.look(outside, Date.now())
      }
      await sleep(this.parts.everySeconds * 1000, undefined, { signal: this.stopping.signal }).catch(() => undefined)
    }
  }

  private tell(change: AlertChange): void {
    const { id, rule, metric, tenant, webhook, subject, value, details, ended } = change
    const line = { alert: metric, alert_id: id, rule, tenant, webhook, subject, value, ...details }
    if (ended === undefined) this.parts.logger.error(line, alertSentence(change))
    else this.parts.logger.info({ ...line, by: ended }, 'an alert has ended')
  }
}

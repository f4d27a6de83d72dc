import type { OutsideReadings } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'
import { alertSentence, nextPhase, type AlertPhase, type AlertReading, type AlertRule } from '@posthorn/webhook'

interface Firing {
  readonly rule: AlertRule
  readonly reading: AlertReading
}

const CALM: AlertPhase = { kind: 'calm' }

/**
 * Tells by the log alone what fires while the database is away: it may be what the work waits for, and then nobody else
 * would tell. Every monitor does so by itself, by the built-in rules about Kafka.
 */
export class AlertsInLog {
  private phases = new Map<string, AlertPhase>()
  private firing = new Map<string, Firing>()

  constructor(
    private readonly rules: readonly AlertRule[],
    private readonly logger: Pick<Logger, 'error' | 'info'>,
  ) {}

  look(outside: OutsideReadings, now: number): void {
    const phases = new Map<string, AlertPhase>()
    const firing = new Map<string, Firing>()
    for (const rule of this.rules)
      for (const reading of (rule.enabled && outside[rule.metric]) || []) {
        const name = JSON.stringify([rule.id, reading.webhook, reading.subject])
        const phase = nextPhase(rule, this.phases.get(name) ?? CALM, reading, now)
        phases.set(name, phase)
        if (phase.kind === 'firing') firing.set(name, { rule, reading })
      }
    for (const [name, one] of firing) if (!this.firing.has(name)) this.logger.error(fieldsOf(one), sentenceOf(one))
    for (const [name, one] of this.firing) if (!firing.has(name)) this.logger.info(fieldsOf(one), 'an alert has ended')
    this.phases = phases
    this.firing = firing
  }

  /** The database is back: it says what fires. */
  forget(): void {
    this.phases.clear()
    this.firing.clear()
  }
}

function fieldsOf({ rule, reading: { webhook, details } }: Firing): object {
  return { alert: rule.metric, rule: rule.id, ...(webhook === null ? {} : { webhook }), ...details }
}

function sentenceOf({ rule: { metric, threshold, windowSeconds }, reading }: Firing): string {
  return alertSentence({ ...reading, metric, threshold, windowSeconds })
}

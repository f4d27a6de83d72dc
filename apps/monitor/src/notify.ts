import { setTimeout as sleep } from 'node:timers/promises'
import { metrics } from '@opentelemetry/api'
import type { Notification, Told } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'
import { textOf, type NotificationText } from './notification-text.js'
import type { SendOutcome } from './send-outcome.js'

type Send = (notification: Notification, text: NotificationText) => Promise<SendOutcome>

export interface NotifierParts {
  /** See AlertNotifications. */
  readonly notifications: {
    claim(now: number): Promise<readonly Notification[]>
    ended(notification: Notification, told: Told, now: number): Promise<void>
    waiting(): Promise<number>
  }
  readonly send: Readonly<Record<Notification['channel']['definition']['type'], Send>>
  readonly logger: Logger
}

const EVERY_MS = 1000
const FIRST_RETRY_MS = 5_000
const LONGEST_RETRY_MS = 600_000
/** Older news is none. */
const GIVEN_UP_MS = 24 * 3600_000

/** Tells channels of alerts. Several monitors may do so at once: each tells what it has claimed. */
export class Notifier {
  private readonly stopping = new AbortController()
  private running: Promise<void> = Promise.resolve()
  private waiting: number | undefined
  private readonly meter = metrics.getMeter('posthorn')
  private readonly told = this.meter.createCounter('posthorn_monitor_notifications', {
    description: 'Tries to tell a channel of alerts, by its type and what came of it.',
  })

  constructor(private readonly parts: NotifierParts) {
    this.meter
      .createObservableGauge('posthorn_monitor_notifications_waiting', {
        description: 'Notifications of alerts that wait to be sent, grouped, silenced or tried again.',
      })
      .addCallback(result => {
        if (this.waiting !== undefined) result.observe(this.waiting)
      })
  }

  start(): void {
    this.running = this.run()
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.running
  }

  /** One round. Rejects while Postgres is away. */
  async round(now: number): Promise<void> {
    const claimed = await this.parts.notifications.claim(now)
    await Promise.all(claimed.map(notification => this.tell(notification, now)))
    this.waiting = await this.parts.notifications.waiting()
  }

  private async run(): Promise<void> {
    let said = false
    while (!this.stopping.signal.aborted) {
      try {
        await this.round(Date.now())
        said = false
      } catch (error) {
        this.waiting = undefined
        if (!said) this.parts.logger.warn({ err: error }, 'notifications of alerts wait')
        said = true
      }
      await sleep(EVERY_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined)
    }
  }

  private async tell(notification: Notification, now: number): Promise<void> {
    const { channel, entries } = notification
    const { type } = channel.definition
    const outcome = await this.parts.send[type](notification, textOf(entries))
    const told = toldOf(outcome, notification, now)
    this.told.add(1, { type, result: told.kind })
    await this.parts.notifications.ended(notification, told, now)
    if (told.kind === 'sent') return
    const line = { channel: channel.id, tenant: channel.tenant, type, error: told.error, alerts: entries.length }
    if (told.kind === 'retry') this.parts.logger.warn(line, 'a channel was not told of alerts: it is tried again')
    else this.parts.logger.error(line, 'a channel was not told of alerts')
  }
}

function toldOf(outcome: SendOutcome, { tries, since }: Notification, now: number): Told {
  if (outcome.kind !== 'retry') return outcome
  if (now - since >= GIVEN_UP_MS) return { kind: 'failed', error: outcome.error }
  return { ...outcome, due: now + Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (tries - 1)) }
}

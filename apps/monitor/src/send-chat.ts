import type { Egress } from '@posthorn/egress'
import { SealError, type Sealer } from '@posthorn/sealing'
import type { Notification } from '@posthorn/store'
import { channelContext } from '@posthorn/webhook'
import type { NotificationText } from './notification-text.js'
import { retry, type SendOutcome } from './send-outcome.js'

const TIMEOUT_MS = 15_000
/** Answers that another try may change: too many requests, and what a receiver has taken too long for. */
const TRANSIENT = new Set([408, 425, 429])

/** Posts alerts to incoming webhooks as Slack has them, which Mattermost, Rocket.Chat and others take, too. */
export class ChatSender {
  constructor(
    private readonly egress: Pick<Egress, 'send'>,
    /** Undefined: the deployment has no master key. */
    private readonly sealer: Pick<Sealer, 'unseal'> | undefined,
  ) {}

  async send({ channel }: Notification, { subject, lines }: NotificationText): Promise<SendOutcome> {
    if (!this.sealer) return retry('the address does not open: this monitor has no POSTHORN_SEALING_KEYS')
    const url = this.urlOf(channel, this.sealer)
    if (url === undefined) return retry('the address does not open: POSTHORN_SEALING_KEYS lacks its key')
    const text = [`*${escape(subject)}*`, ...lines.map(escape)].join('\n')
    const result = await this.egress.send({
      url,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ text })),
      timeoutMs: TIMEOUT_MS,
    })
    if (result.kind === 'failed') return retry(`${result.cause}: ${result.detail}`)
    const { status } = result
    if (status >= 200 && status < 300) return { kind: 'sent' }
    const error = `the receiver answered ${status}`
    return status >= 500 || TRANSIENT.has(status) ? retry(error) : { kind: 'failed', error }
  }

  private urlOf({ id, sealed }: Notification['channel'], sealer: Pick<Sealer, 'unseal'>): string | undefined {
    try {
      return sealer.unseal(sealed!, channelContext(id))
    } catch (error) {
      if (error instanceof SealError) return undefined
      throw error
    }
  }
}

/** The three characters that mean something in Slack's text. */
function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

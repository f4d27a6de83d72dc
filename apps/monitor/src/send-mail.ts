import type { Notification } from '@posthorn/store'
import { createTransport, type Transporter } from 'nodemailer'
import type { NotificationText } from './notification-text.js'
import { retry, type SendOutcome } from './send-outcome.js'

const STEP_MS = 10_000
const WHOLE_MS = 30_000

/** Sends alerts by e-mail. The server is the operator's: it is no receiver, and not reached through the egress guard. */
export class MailSender {
  private readonly transport: Transporter | undefined

  /** Without a URL nothing is sent. */
  constructor(
    url: string | undefined,
    private readonly from: string,
  ) {
    if (url !== undefined) this.transport = createTransport(optionsOf(new URL(url)))
  }

  async send({ channel, seqs }: Notification, { subject, lines }: NotificationText): Promise<SendOutcome> {
    if (!this.transport) return retry('POSTHORN_MONITOR_SMTP_URL is not set: no server for e-mail is known')
    try {
      await this.transport.sendMail({
        from: this.from,
        to: [...channel.definition.to],
        subject,
        text: lines.join('\n\n'),
        // What is sent again after a crash is known by it.
        messageId: `<alerts-${channel.id}-${seqs[0]}-${seqs.at(-1)}@posthorn>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
        disableFileAccess: true,
        disableUrlAccess: true,
      })
      return { kind: 'sent' }
    } catch (error) {
      const { responseCode, message } = error as Error & { readonly responseCode?: number }
      // 5xx: the server will not take it the next time either.
      const isFinal = responseCode !== undefined && responseCode >= 500 && responseCode !== 535
      return isFinal ? { kind: 'failed', error: message } : retry(message)
    }
  }

  close(): void {
    this.transport?.close()
  }
}

function optionsOf(url: URL) {
  const secure = url.protocol === 'smtps:'
  const { username, password } = url
  const auth =
    username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (secure ? 465 : 587),
    secure,
    // A password never goes out in the clear.
    requireTLS: !secure && username !== '',
    ...auth,
    connectionTimeout: STEP_MS,
    greetingTimeout: STEP_MS,
    dnsTimeout: STEP_MS,
    socketTimeout: WHOLE_MS,
  }
}

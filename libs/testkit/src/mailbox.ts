import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export interface Mail {
  readonly to: readonly string[]
  readonly subject: string
  readonly messageId: string
  /** The whole mail, without soft line breaks. */
  readonly text: string
}

/** An SMTP server on a free port of 127.0.0.1 that keeps what it gets. */
export interface Mailbox {
  /** smtp:// */
  readonly url: string
  /** In the order of their arrival. */
  readonly mails: readonly Mail[]
  close(): Promise<void>
}

/** `beforeAnswer`: the server has a mail, and says so to the client only then. */
export async function startMailbox(beforeAnswer: () => Promise<void> = async () => undefined): Promise<Mailbox> {
  const mails: Mail[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const text = Buffer.concat(chunks).toString().replaceAll('=\r\n', '').replaceAll('\r\n', '\n')
        const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? ''
        const to = session.envelope.rcptTo.map(({ address }) => address)
        mails.push({ to, subject: header('Subject'), messageId: header('Message-ID'), text })
        void beforeAnswer().then(() => done())
      })
    },
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo
  return { url: `smtp://127.0.0.1:${port}`, mails, close: () => new Promise(resolve => server.close(() => resolve())) }
}

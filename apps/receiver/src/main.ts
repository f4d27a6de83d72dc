import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type Received } from './notify.js'
import { startReceiver, type RunningReceiver } from './server.js'
import { readReceiverSettings } from './settings.js'

const hasParent = process.send !== undefined

try {
  const settings = readReceiverSettings(process.env, hasParent)
  const folder = settings.folder ?? (await mkdtemp(join(tmpdir(), 'posthorn-receiver-')))
  const receiver = await startReceiver({
    host: settings.host,
    port: settings.port,
    secrets: settings.secrets,
    folder,
    notify: received => (hasParent ? tellParent(received) : console.log(describe(received))),
    complain: message => console.error(message),
  })
  stopWhenAsked(receiver)
  takeSecrets(receiver)
  if (hasParent) tellParent({ kind: 'listening', url: receiver.url })
  else console.log(`listening on ${receiver.url} (GET / tells the paths), storing in ${folder}`)
} catch (error) {
  console.error(`The receiver cannot start: ${error instanceof Error ? error.message : String(error)}`)
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
    console.error('Stop what holds the port, or set POSTHORN_RECEIVER_PORT to another one (0: a free one).')
  process.exit(1)
}

function tellParent(message: Received | { kind: 'listening'; url: string }): void {
  // The parent may be gone a moment before this process learns it.
  if (process.connected) process.send!(message, undefined, undefined, () => undefined)
}

function stopWhenAsked(receiver: RunningReceiver): void {
  const stop = () => void receiver.stop().finally(() => process.exit(0))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  if (hasParent) process.once('disconnect', stop)
}

/** Each webhook has a secret of its own, and webhooks are registered after the receiver has started. */
function takeSecrets(receiver: RunningReceiver): void {
  process.on('message', (message: { kind?: unknown; secrets?: unknown }) => {
    if (message?.kind !== 'secrets' || !Array.isArray(message.secrets)) return
    try {
      receiver.replaceSecrets(message.secrets as string[])
    } catch (error) {
      console.error(`The secrets were not taken: ${(error as Error).message}`)
    }
  })
}

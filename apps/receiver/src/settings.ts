import { checkSecrets } from '@posthorn/verify'

export interface ReceiverSettings {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly secrets: readonly string[]
  /** Folder of the store; undefined: a new temporary one. */
  readonly folder: string | undefined
}

/** The environment does not fit; the message names the variable and says what to do. */
export class ReceiverSettingsError extends Error {}

/** Reads the environment. Without a secret it starts only where a parent process can send the secrets later. */
export function readReceiverSettings(env: NodeJS.ProcessEnv, hasParent: boolean): ReceiverSettings {
  const port = env.POSTHORN_RECEIVER_PORT || '8085'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    throw new ReceiverSettingsError(`POSTHORN_RECEIVER_PORT is "${port}": set a port number, 0 for a free one.`)
  const secrets = (env.POSTHORN_RECEIVER_SECRET ?? '').split(',').filter(secret => secret !== '')
  if (secrets.length === 0 && !hasParent)
    throw new ReceiverSettingsError(
      'POSTHORN_RECEIVER_SECRET is not set: give the secret that was shown when the webhook was registered (several: comma-separated).',
    )
  if (secrets.length > 0) {
    try {
      checkSecrets(secrets)
    } catch (error) {
      throw new ReceiverSettingsError(`POSTHORN_RECEIVER_SECRET: ${(error as Error).message}`)
    }
  }
  return {
    host: env.POSTHORN_RECEIVER_HOST || '127.0.0.1',
    port: Number(port),
    secrets,
    folder: env.POSTHORN_RECEIVER_DIR || undefined,
  }
}

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from './replace-file.js'

export interface Secrets {
  /** POSTHORN_AUTH_PLATFORM_KEY */
  readonly platformKey: string
  /** POSTHORN_SEALING_KEYS */
  readonly sealingKeys: string
}

/**
 * Keys of the environment, else those made at the first start and kept in `<dir>/secrets.json`. The
 * sealing key has to be kept: without it the secrets in the database cannot be opened again.
 */
export function keepSecrets(dir: string, env: NodeJS.ProcessEnv): Secrets {
  const file = join(dir, 'secrets.json')
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Secrets>) : {}
  const secrets = {
    platformKey: kept.platformKey ?? `phk_${randomBytes(32).toString('base64url')}`,
    sealingKeys: kept.sealingKeys ?? `local1:${randomBytes(32).toString('base64')}`,
  }
  if (kept.platformKey === undefined || kept.sealingKeys === undefined) {
    mkdirSync(dir, { recursive: true })
    replaceFile(file, `${JSON.stringify(secrets, null, 2)}\n`)
  }
  return {
    platformKey: env.POSTHORN_AUTH_PLATFORM_KEY || secrets.platformKey,
    sealingKeys: env.POSTHORN_SEALING_KEYS || secrets.sealingKeys,
  }
}

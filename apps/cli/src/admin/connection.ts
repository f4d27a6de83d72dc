import { CommandFault, UsageError } from '../command.js'
import type { StackInfo } from '../run-file.js'
import { text, VERB } from './options.js'
import type { OptionSpec } from './verb.js'

/** Where the APIs are, and as whom to call them. */
export interface Connection {
  /** Base URLs without a slash at the end. */
  readonly api: string
  readonly publish: string
  readonly key: string
  readonly tenant: string | undefined
}

export const CONNECTION_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  'api-url': text('<url>', 'the registry (POSTHORN_API_URL, else the stack that runs here, else port 8080)', VERB),
  'publish-url': text('<url>', 'ingest (POSTHORN_PUBLISH_URL, else as above, port 8081)', VERB),
  key: text('<key>', 'the API key (better POSTHORN_API_KEY: others see arguments; else that of the stack)', VERB),
  tenant: text('<id>', 'which tenant, for keys of the platform (POSTHORN_TENANT, else default)', VERB),
}

export interface ConnectionTexts {
  readonly 'api-url'?: string
  readonly 'publish-url'?: string
  readonly key?: string
  readonly tenant?: string
}

/**
 * Options come before variables, and those before the stack that runs here. The stack's key is used
 * with the stack's own addresses only: it must not go to an address of somebody else.
 * Throws UsageError that names the option or variable at fault, CommandFault without a key.
 */
export function connectionOf(
  options: ConnectionTexts,
  env: NodeJS.ProcessEnv,
  running: StackInfo | undefined,
): Connection {
  const api = options['api-url'] || env.POSTHORN_API_URL
  const publish = options['publish-url'] || env.POSTHORN_PUBLISH_URL
  const stack = api || publish ? undefined : running
  const key = (options.key || env.POSTHORN_API_KEY || stack?.key)?.trim()
  if (!key)
    throw new CommandFault(
      'There is no API key: set POSTHORN_API_KEY or give --key. "posthorn keys create --database" makes the first one.',
    )
  if (!/^[\x21-\x7e]+$/.test(key)) throw new UsageError('The API key has characters that no key has.')
  const tenant = options.tenant || env.POSTHORN_TENANT || undefined
  if (tenant !== undefined && !/^[\x21-\x7e]+$/.test(tenant))
    throw new UsageError('The tenant (--tenant, POSTHORN_TENANT) has characters that no id has.')
  return {
    api: baseUrl('--api-url (POSTHORN_API_URL)', api || stack?.api || 'http://127.0.0.1:8080'),
    publish: baseUrl('--publish-url (POSTHORN_PUBLISH_URL)', publish || stack?.publish || 'http://127.0.0.1:8081'),
    key,
    tenant,
  }
}

function baseUrl(name: string, url: string): string {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw new UsageError(`${name} is "${url}": it must be an http or https URL such as http://127.0.0.1:8080.`)
  const { username, password, search, hash } = new URL(url)
  if (username || password || search || hash)
    throw new UsageError(`${name} must have no user, password, query or fragment.`)
  return url.replace(/\/+$/, '')
}

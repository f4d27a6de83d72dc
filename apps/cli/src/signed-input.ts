import { readFileSync } from 'node:fs'
import { isBodySigning, SIGNINGS, type BodySigning } from '@posthorn/webhook'
import { CommandFault, UsageError } from './command.js'

export const SECRETS_VARIABLE = 'POSTHORN_WEBHOOK_SECRET'

/** Of the options, else of the variable; others see arguments, and not the environment. */
export function secretsOf(given: readonly string[] | undefined, env: NodeJS.ProcessEnv): readonly string[] {
  const secrets = given ?? env[SECRETS_VARIABLE]?.split(/\s+/).filter(secret => secret !== '') ?? []
  if (secrets.length === 0) throw new UsageError(`--secret is needed, or ${SECRETS_VARIABLE}.`)
  return secrets
}

export const SIGNING_OPTIONS = { signing: { type: 'string' }, 'signing-header': { type: 'string' } } as const

/** As the webhook's own field has it, and `standard` for none. */
export type CliSigning =
  | { readonly type: 'standard' }
  | { readonly type: 'standard_sha512' }
  | { readonly type: BodySigning; readonly header?: string }

export function signingOf(values: {
  readonly signing?: string | undefined
  readonly 'signing-header'?: string | undefined
}): CliSigning {
  const { signing: type = 'standard', 'signing-header': header } = values
  if (isBodySigning(type)) return { type, ...(header === undefined ? {} : { header }) }
  if (type !== 'standard' && type !== 'standard_sha512')
    throw new UsageError(
      `--signing must be standard, ${SIGNINGS.slice(0, -1).join(', ')} or ${SIGNINGS.at(-1)}, and not "${type}".`,
    )
  if (header !== undefined) throw new UsageError('--signing-header is for --signing hub and hex.')
  return { type }
}

/** The bytes of a file, or of stdin for `-` and for nothing. */
export function bodyFrom(positionals: readonly string[]): Buffer {
  if (positionals.length > 1) throw new UsageError(`One file only, and not ${positionals.join(' ')}.`)
  const [name = '-'] = positionals
  try {
    return readFileSync(name === '-' ? 0 : name)
  } catch (error) {
    throw new UsageError(`Cannot read ${name === '-' ? 'stdin' : name}: ${(error as NodeJS.ErrnoException).code}.`)
  }
}

/** Whole seconds since the epoch; undefined when it is not given. */
export function secondsOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,12}$/.test(text)) throw new UsageError(`--${name} must be a whole number of seconds.`)
  return Number(text)
}

/** What a library finds wrong with a secret is for a person here. */
export function withUsableSecrets<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof TypeError ? new CommandFault(error.message) : error
  }
}

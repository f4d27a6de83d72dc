import type { Settings } from '@posthorn/process'
import { CONNECTION_OPTIONS, connectionOf, type Connection, type ConnectionTexts } from '../admin/connection.js'
import { parserOptions, parseStrictly } from '../admin/options.js'
import { CommandFault, unlessStopped, UsageError, type Terminal } from '../command.js'
import { embeddedDir } from '../local-plan.js'
import { RunFiles } from '../run-file.js'
import { settingsHere } from '../settings-here.js'
import { apiChecks } from './api-checks.js'
import { fail, ok, reasonOf, type Finding } from './check.js'
import { databaseChecks } from './database-checks.js'
import { egressChecks } from './egress-checks.js'
import { kafkaChecks } from './kafka-checks.js'
import { traceChecks } from './trace-checks.js'

const OPTIONS = {
  ...parserOptions(CONNECTION_OPTIONS),
  egress: { type: 'string' },
  json: { type: 'boolean' },
} as const
const USAGE = 'posthorn doctor --help says more.'

/** Looks at all that Posthorn stands on; 1 when anything failed, 0 with warnings alone. */
export async function run(args: readonly string[], { say, stop, print, env }: Terminal): Promise<number> {
  const { values, positionals } = parseStrictly(args, OPTIONS, USAGE)
  if (positionals.length > 0) throw new UsageError(`Too many arguments: ${positionals.join(' ')}.`, USAGE)
  const egress = egressTarget(values.egress as string | undefined)
  const connection = connectionIfAny(values as ConnectionTexts, env)
  if (values.json !== true) say('Looking at Kafka, Postgres, the APIs and the way out …')
  const findings = await unlessStopped(findAll(env, connection, egress), stop)
  const failed = findings.some(({ status }) => status === 'fail')
  print(values.json === true ? JSON.stringify({ ok: !failed, checks: findings }) : textOf(findings))
  return failed ? 1 : 0
}

/** All findings; the kinds of checks run at once, and one that breaks does not stop the others. */
export async function findAll(
  env: NodeJS.ProcessEnv,
  connection: Connection | undefined,
  egress: string | undefined,
): Promise<Finding[]> {
  const settings = readable(env)
  const api = guarded('api', apiChecks(connection))
  if (settings.kind === 'unreadable') return [settings.finding, ...(await api)]
  const { value } = settings
  const results = await Promise.all([
    guarded('kafka', kafkaChecks(value)),
    guarded('database', databaseChecks(value)),
    guarded('egress', egressChecks(value, egress)),
    guarded('traces', traceChecks(value)),
    api,
  ])
  return [ok('settings', 'The settings can be read.'), ...results.flat()]
}

type Read =
  { readonly kind: 'settings'; readonly value: Settings } | { readonly kind: 'unreadable'; readonly finding: Finding }

function readable(env: NodeJS.ProcessEnv): Read {
  try {
    return { kind: 'settings', value: settingsHere(env) }
  } catch (error) {
    if (!(error instanceof CommandFault)) throw error
    return {
      kind: 'unreadable',
      finding: fail('settings', error.message, 'Correct the variables (docs/configuration.md).'),
    }
  }
}

async function guarded(name: string, checks: Promise<Finding[]>): Promise<Finding[]> {
  return checks.catch((error: unknown) => [fail(name, reasonOf(error), 'This is a fault of doctor itself.')])
}

/** Doctor goes on without a key: that is one of its findings. */
function connectionIfAny(options: ConnectionTexts, env: NodeJS.ProcessEnv): Connection | undefined {
  try {
    return connectionOf(options, env, new RunFiles(embeddedDir(env)).running())
  } catch (error) {
    if (error instanceof CommandFault) return undefined
    throw error
  }
}

function egressTarget(url: string | undefined): string | undefined {
  if (url === undefined) return undefined
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw new UsageError('--egress must be an http or https URL such as https://hooks.example.com.', USAGE)
  return url
}

function textOf(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length))
  return findings
    .flatMap(({ name, status, says, advice }) => [
      `${status.padEnd(4)}  ${name.padEnd(width)}  ${says}`,
      ...(advice === null ? [] : [`${' '.repeat(width + 8)}→ ${advice}`]),
    ])
    .join('\n')
}

import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { bin, NODE, ROOT } from './repository.js'
import { NOTHING, type Tally } from './tally.js'

/** The part of Jest's report that is read. */
interface JestReport {
  readonly numPassedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly status: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

/** A run that has not ended by then hangs: usually on a worker or a connection that a test did not release. */
const TIMEOUT_MS = 40 * 60_000

/** Runs Jest once over the files that match, or over all, with these variables. Its own words go to stderr. */
export async function runJest(
  patterns: readonly string[],
  variables: Readonly<Record<string, string>>,
  reportFile: string,
  stop: AbortSignal,
): Promise<Tally> {
  const args = ['--ci', '--maxWorkers=2', '--json', `--outputFile=${reportFile}`, '--', ...patterns]
  const status = await jest(args, environment(variables), AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)]))
  if (!existsSync(reportFile)) return { ...NOTHING, failures: [`jest ended with ${status} and without a report`] }
  const tally = tallyOf(JSON.parse(readFileSync(reportFile, 'utf8')) as JestReport)
  // An open handle or an unhandled rejection shows only in the status.
  const unexplained = status !== 'status 0' && tally.failures.length === 0
  return unexplained ? { ...tally, failures: [`jest: all tests passed, and it ended with ${status}`] } : tally
}

/** Hermetic: whatever POSTHORN_ variables the caller has must not change a test. */
export function withoutPosthorn(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('POSTHORN_')))
}

function environment(variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return {
    ...withoutPosthorn(process.env),
    NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
    ...variables,
  }
}

function jest(args: readonly string[], env: NodeJS.ProcessEnv, stop: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const stdio = ['ignore', 2, 2] as const
    const child = spawn(NODE, [bin('jest', 'bin', 'jest.js'), ...args], { cwd: ROOT, env, stdio: [...stdio] })
    stop.addEventListener('abort', () => child.kill('SIGKILL'))
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal === null ? `status ${code}` : `signal ${signal}`))
  })
}

/** A file that could not even be loaded has no tests in the report and counts as one failure. */
export function tallyOf(report: JestReport): Tally {
  const failures = report.testResults.flatMap(file => {
    const failed = file.assertionResults.filter(test => test.status === 'failed')
    const name = file.name.replace(`${ROOT}/`, '')
    if (failed.length === 0 && file.status === 'failed') return [`${name}: ${file.message.trim().split('\n')[0]}`]
    return failed.map(test => `${name}: ${test.fullName}`)
  })
  return { passed: report.numPassedTests, skipped: report.numPendingTests + report.numTodoTests, failures }
}

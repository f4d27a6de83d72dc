import { spawn } from 'node:child_process'
import { delimiter } from 'node:path'
import { bin, NODE, ROOT } from './repository.js'

export interface Check {
  readonly name: string
  /** Programs with their arguments; all run, so that one run shows all that is wrong. */
  readonly programs: readonly (readonly string[])[]
}

/** What needs no server: each counts as one test. Lint goes through Nx, which alone has a fresh project graph. */
export const CHECKS: readonly Check[] = [
  { name: 'types', programs: [[bin('typescript', 'bin', 'tsc'), '-b', 'tsconfig.base.json']] },
  {
    name: 'lint',
    programs: [
      [bin('nx', 'dist', 'bin', 'nx.js'), 'run-many', '-t', 'lint', '--outputStyle=static'],
      [bin('oxlint', 'bin', 'oxlint'), '--type-aware'],
    ],
  },
  { name: 'formatting', programs: [[bin('prettier', 'bin', 'prettier.cjs'), '--check', '.']] },
]

/** The environment of every program of ours: a Nx that neither stays nor draws, and Node 24 first on the PATH. */
export function toolEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return { ...env, NX_DAEMON: 'false', NX_TUI: 'false', PATH: bin('.bin') + delimiter + env.PATH }
}

/** Resolves with undefined, or with what the failing programs said. */
export async function failureOf(check: Check, stop: AbortSignal): Promise<string | undefined> {
  const failures: string[] = []
  for (const args of check.programs) {
    const { status, output } = await runNode(args, toolEnvironment(), stop)
    if (status !== 0) failures.push(output)
  }
  return failures.length > 0 ? failures.join('\n') : undefined
}

function runNode(args: readonly string[], env: NodeJS.ProcessEnv, stop: AbortSignal) {
  return new Promise<{ status: number; output: string }>((resolve, reject) => {
    const child = spawn(NODE, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'], signal: stop })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.once('error', reject)
    child.once('close', code => resolve({ status: code ?? 1, output: Buffer.concat(chunks).toString() }))
  })
}

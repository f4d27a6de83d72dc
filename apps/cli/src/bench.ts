import { spawn } from 'node:child_process'
import type { CommandContext } from './command.js'
import { BENCH_MAIN, NODE } from './repository.js'

/** Hands over to apps/bench, which stands outside the platform and starts one of its own. */
export function run(args: readonly string[], { stop }: CommandContext): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(NODE, [BENCH_MAIN, ...args], { stdio: 'inherit' })
    stop.addEventListener('abort', () => child.kill('SIGTERM'), { once: true })
    child.once('error', reject)
    child.once('exit', code => resolve(code ?? 1))
  })
}

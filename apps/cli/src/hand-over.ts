import { spawn } from 'node:child_process'
import type { Command } from './command.js'
import { NODE } from './repository.js'

/** Outside there is kafkajs as its users have it, with timers that Node warns of. */
const QUIETLY = '--disable-warning=TimeoutNegativeWarning'

/** A command that is a program of its own: it stands outside the platform and starts one for itself. */
export function handOver(main: string): Command['run'] {
  return (args, { stop }) =>
    new Promise((resolve, reject) => {
      const child = spawn(NODE, [QUIETLY, main, ...args], { stdio: 'inherit' })
      stop.addEventListener('abort', () => child.kill('SIGTERM'), { once: true })
      child.once('error', reject)
      child.once('exit', code => resolve(code ?? 1))
    })
}

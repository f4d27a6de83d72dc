import { constants } from 'node:os'
import { runCommand } from './run-command.js'

/** Ctrl-C in a terminal comes to the whole group, and once more from setup.mjs: only the first one counts. */
function stopSignal(): { stop: AbortSignal; status: () => number } {
  const controller = new AbortController()
  let status = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (status === 0) status = 128 + constants.signals[signal]
      controller.abort()
    })
  return { stop: controller.signal, status: () => status }
}

// Whoever reads may have seen enough: `posthorn … | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const { stop, status } = stopSignal()
const outcome = await runCommand(process.argv.slice(2), {
  stop,
  env: process.env,
  print: text => console.log(text),
  say: line => void process.stderr.write(`${line}\n`),
})
process.exit(outcome === 'stopped' ? status() : outcome)

import { constants } from 'node:os'
import { EmbeddedFault } from '@posthorn/embedded'
import { CommandFault, UsageError } from './command.js'
import { COMMANDS } from './commands.js'

const say = (line: string) => void process.stderr.write(`${line}\n`)

function usage(): string {
  const lines = Object.entries(COMMANDS).map(
    ([name, { usage: args, does }]) => `  ${`${name} ${args}`.padEnd(28)}${does}`,
  )
  return `usage: node apps/cli/setup.mjs <command>   (npm start, npm test, npm run up -- --json, …)\n\n${lines.join('\n')}`
}

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

async function main(name: string | undefined, args: readonly string[]): Promise<number> {
  const command = name === undefined ? undefined : COMMANDS[name]
  const { stop, status } = stopSignal()
  try {
    if (command === undefined) throw new UsageError(name === undefined ? 'A command is missing.' : `Unknown: ${name}`)
    return await command.run(args, { stop, say })
  } catch (error) {
    if (isUsage(error)) {
      say(`${error.message}\n\n${usage()}`)
      return 2
    }
    if (stop.aborted) return status()
    say(saysEnough(error) ? error.message : String((error as Error).stack))
    return 1
  }
}

/** By name where the class is not loaded before the command is. */
function saysEnough(error: unknown): error is Error {
  if (error instanceof EmbeddedFault || error instanceof CommandFault) return true
  return ['KafkaAccessRefused', 'KafkaConnectionClosed'].includes((error as Error).name)
}

function isUsage(error: unknown): error is Error {
  return error instanceof UsageError || String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')
}

process.exit(await main(process.argv[2], process.argv.slice(3)))

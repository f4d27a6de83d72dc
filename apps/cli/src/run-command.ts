import { EmbeddedFault } from '@posthorn/embedded'
import { useClientTls } from './client-tls.js'
import { CommandFault, UsageError, type Terminal } from './command.js'
import { commandOf, helpFor, usageFor } from './help.js'

/**
 * Runs what the command line says: 0 done, 1 failed, 2 the arguments make no sense. `stopped` when it
 * ended because of `terminal.stop`.
 */
export async function runCommand([name, ...args]: readonly string[], terminal: Terminal): Promise<number | 'stopped'> {
  const { say, stop, print } = terminal
  try {
    const help = helpFor(name, args)
    if (help !== undefined) {
      print(help)
      return 0
    }
    const command = commandOf(name)
    await useClientTls(terminal.env)
    return await command.run(args, terminal)
  } catch (error) {
    if (isUsage(error)) {
      say(`${error.message}\n\n${(error instanceof UsageError ? error.usage : undefined) ?? usageFor(name)}`)
      return 2
    }
    if (stop.aborted) return 'stopped'
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

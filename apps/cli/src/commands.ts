import type { Command, CommandContext } from './command.js'

type Load = () => Promise<{ run: Command['run'] }>

/** Loaded when called, so that each starts with only what it needs. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  start: command(
    '',
    'starts everything, sends real events and shows what the receiver got',
    () => import('./start.js'),
  ),
  up: command('[--json] [--processes]', 'starts everything and stays until Ctrl-C', () => import('./up.js')),
  smoke: command('[--fresh]', 'sends one event through the running stack, or a fresh one', () => import('./smoke.js')),
  reset: command('', 'stops what is left over and removes the data folder', () => import('./reset.js')),
  topics: command(
    '[--apply]',
    'compares the topics with what is wanted, and changes them',
    () => import('./topics.js'),
  ),
  migrate: command('', 'brings the database to this version', () => import('./migrate.js')),
  bench: command('<scenario> [options]', 'measures this machine', () => import('./bench.js')),
  faults: command(
    '[scenario…] [options]',
    'kills, freezes and takes away, and explains every repeat',
    () => import('./faults.js'),
  ),
  test: command('[pattern…]', 'runs all checks and tests, or the tests of some files', () => import('./test.js')),
}

function command(usage: string, does: string, load: Load): Command {
  return {
    usage,
    does,
    run: async (args: readonly string[], context: CommandContext) => (await load()).run(args, context),
  }
}

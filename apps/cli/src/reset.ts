import { existsSync, rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CommandFault, type CommandContext } from './command.js'
import { embeddedDir } from './local-plan.js'
import { RunFiles } from './run-file.js'

export async function run(args: readonly string[], { say }: CommandContext): Promise<number> {
  parseArgs({ args: [...args], options: {} })
  const dir = embeddedDir(process.env)
  const files = new RunFiles(dir)
  const living = files.livingSupervisor()
  if (living !== undefined)
    throw new CommandFault(`Posthorn runs here, as process ${living}: stop it first (Ctrl-C, or kill ${living}).`)
  await files.endLeftovers(say)
  const existed = existsSync(dir)
  rmSync(dir, { recursive: true, force: true })
  say(existed ? `Removed ${dir}: data, keys and downloads. The next start makes them new.` : `There is no ${dir}.`)
  return 0
}

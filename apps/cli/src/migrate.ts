import { parseArgs } from 'node:util'
import { migrate } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { CommandFault, type CommandContext } from './command.js'
import { checkedSettings, withoutOwnVariables } from './local-plan.js'

/** Brings the database of POSTHORN_DATABASE_URL to this version's schema; two at once are safe. */
export async function run(args: readonly string[], { say }: CommandContext): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } })
  const url = checkedSettings(withoutOwnVariables(process.env)).databaseUrl
  if (url === undefined) throw new CommandFault('POSTHORN_DATABASE_URL is not set: name the database to migrate.')
  await migrate(url, createLogger('warn', 'posthorn-migrate'))
  if (values.json) console.log(JSON.stringify({ migrated: true }))
  say('The database is as this version wants it.')
  return 0
}

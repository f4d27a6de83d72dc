import { parseArgs } from 'node:util'
import { grantStatements, roleStatements } from '@posthorn/store'
import { CommandFault, type CommandContext } from './command.js'

/** Prints how each service gets a role of its own. Asks no database: who gives rights is often another than who has them. */
export function run(args: readonly string[], { say }: CommandContext): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      grants: { type: 'boolean', default: false },
      prefix: { type: 'string', default: 'posthorn_' },
      owner: { type: 'string', default: 'posthorn' },
      json: { type: 'boolean', default: false },
    },
  })
  if (!values.grants) throw new CommandFault('Say what: posthorn database --grants.')
  const roles = roleStatements(values)
  const grants = grantStatements(values)
  if (values.json) console.log(JSON.stringify({ roles, grants }))
  else
    console.log(
      [
        '-- Once, as an administrator of Postgres. Then give each role a password.',
        ...roles,
        `-- In the database, as ${values.owner}, which migrates: after "posthorn migrate", at first and after each upgrade.`,
        ...grants,
      ].join('\n'),
    )
  say('Nothing was changed: these are for psql.')
  return Promise.resolve(0)
}

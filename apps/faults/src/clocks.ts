import { mkdtemp, rm } from 'node:fs/promises'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The wall clocks of the services, each of which can be set. */
export interface Clocks {
  /** What a service has to be started with. */
  readonly environment: Readonly<Record<string, string>>
  /** `ms` ahead of the real time, or behind it. */
  set(target: string, ms: number): void
  remove(): Promise<void>
}

export async function openClocks(): Promise<Clocks> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-clocks-'))
  // From the sources under Jest, from dist otherwise.
  const preload = new URL(`./skewed-clock.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)
  return {
    environment: { FAULTS_CLOCKS: folder, NODE_OPTIONS: `--import=${preload.href}` },
    set(target, ms) {
      const file = join(folder, target)
      if (ms === 0) return rmSync(file, { force: true })
      // Never half a number for whoever reads it.
      writeFileSync(`${file}.next`, String(ms))
      renameSync(`${file}.next`, file)
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

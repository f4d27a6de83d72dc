import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Progress } from '@posthorn/embedded'
import { findGo } from '../chart/go.js'
import { goInstall } from '../chart/tools.js'
import { CACHE_DIR } from '../local-plan.js'

const VERSION = '0.316.0'
const PROGRAM = join(CACHE_DIR, 'observability', `promtool-${VERSION}`)

/** Prometheus's own checker of rules, built before; undefined when it is missing. */
export function builtPromtool(): string | undefined {
  return existsSync(PROGRAM) ? PROGRAM : undefined
}

/** Builds it: some minutes once, nothing afterwards. Throws NoGo, or CommandFault with the words of what failed. */
export async function buildPromtool(say: Progress): Promise<string> {
  if (existsSync(PROGRAM)) return PROGRAM
  for (const folder of ['chart', 'observability']) mkdirSync(join(CACHE_DIR, folder), { recursive: true })
  const go = await findGo(join(CACHE_DIR, 'chart'), say)
  const promtool = { version: VERSION, package: 'github.com/prometheus/prometheus/cmd/promtool' }
  // Without the SDKs of all clouds, which only service discovery needs, it takes half the time.
  await goInstall(go, promtool, PROGRAM, say, '-tags=remove_all_sd')
  return PROGRAM
}

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import type { CommandContext } from './command.js'
import { leftoverDashboards, observabilityFiles } from './grafana/files.js'
import { DASHBOARD_DIR } from './grafana/paths.js'
import { ROOT } from './repository.js'

/** Makes the dashboards and the alert rules anew; `npm run chart` copies them into the chart. */
export async function run(_args: readonly string[], { say }: CommandContext): Promise<number> {
  const files = observabilityFiles()
  mkdirSync(DASHBOARD_DIR, { recursive: true })
  for (const [file, text] of files) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    say(`wrote ${relative(ROOT, file)}`)
  }
  for (const file of leftoverDashboards(files)) {
    rmSync(file)
    say(`removed ${relative(ROOT, file)}`)
  }
  return 0
}

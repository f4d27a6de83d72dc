import { mkdirSync, readFileSync, existsSync, writeFileSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { parseArgs } from 'node:util'
import type { CommandContext } from './command.js'
import { chartSources, generatedFiles } from './chart/generated.js'
import { buildTools } from './chart/tools.js'
import { ROOT } from './repository.js'

/** Makes the files of k8s/ that are made from others; with --tools only what they are made and checked with. */
export async function run(args: readonly string[], { say }: CommandContext): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { tools: { type: 'boolean', default: false } } })
  const tools = await buildTools(say)
  if (values.tools) return 0
  // First what Helm reads itself.
  write(await chartSources(), say)
  write(await generatedFiles(tools), say)
  return 0
}

function write(files: ReadonlyMap<string, string>, say: (line: string) => void): void {
  for (const [file, text] of files) {
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    say(`wrote ${relative(ROOT, file)}`)
  }
}

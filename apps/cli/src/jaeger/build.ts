import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run, step, type Progress } from '@posthorn/embedded'
import { findGo } from '../chart/go.js'
import { CommandFault } from '../command.js'
import { CACHE_DIR } from '../local-plan.js'

const VERSION = '1.76.0'
const MODULE = 'github.com/jaegertracing/jaeger'
const HOME = join(CACHE_DIR, 'jaeger')
const PROGRAM = join(HOME, `jaeger-${VERSION}`)

/** Jaeger 2, a store for traces: built with Go where it is missing, ten minutes on two cores. Throws NoGo, or CommandFault with the words of Go. */
export async function buildJaeger(say: Progress): Promise<string> {
  if (existsSync(PROGRAM)) return PROGRAM
  await mkdir(HOME, { recursive: true })
  // Where that of the chart's tools would be, too.
  const program = await findGo(join(CACHE_DIR, 'chart'), say)
  await step(say, `Building Jaeger ${VERSION}`, () => build(program))
  return PROGRAM
}

/** `go install` refuses a module that replaces others, so it is built from a copy of its source. */
async function build(program: string): Promise<void> {
  const source = join(HOME, `source-${process.pid}`)
  try {
    await cp(await download(program), source, { recursive: true })
    await makeWritable(source)
    await go(
      program,
      ['build', '-trimpath', '-ldflags=-s -w', '-o', `${PROGRAM}-${process.pid}`, './cmd/jaeger'],
      source,
    )
    await rename(`${PROGRAM}-${process.pid}`, PROGRAM)
  } finally {
    await rm(source, { recursive: true, force: true })
  }
}

async function download(program: string): Promise<string> {
  const found = await go(program, ['mod', 'download', '-json', `${MODULE}@v${VERSION}`], HOME)
  return (JSON.parse(found) as { readonly Dir: string }).Dir
}

/** Go's cache of modules is read-only, and so is a copy of it: nobody could remove that. */
async function makeWritable(dir: string): Promise<void> {
  await chmod(dir, 0o755)
  const entries = await readdir(dir, { withFileTypes: true })
  await Promise.all(entries.filter(entry => entry.isDirectory()).map(entry => makeWritable(join(dir, entry.name))))
}

async function go(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { status, output } = await run(program, args, { cwd, env: { ...process.env, GOFLAGS: '' } })
  if (status !== 0) throw new CommandFault(`go ${args[0]} failed for ${MODULE}:\n${output.trim()}`)
  return output
}

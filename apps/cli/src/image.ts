import { cpSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { step } from '@posthorn/embedded'
import { CommandFault, type CommandContext } from './command.js'
import { Buildah } from './image/buildah.js'
import { sizeOf } from './image/size.js'
import { standInBase, trustOfMachine } from './image/stand-in-base.js'
import { checkStarts } from './image/start-check.js'
import { ROOT } from './repository.js'

const HOME = join(ROOT, '.posthorn', 'image')
const IMAGE = 'localhost/posthorn:built'
/** Of /app: all but the base image. */
const AT_MOST_MB = 250

/**
 * Builds deploy/Dockerfile without an engine and says what came of it: an OCI archive, its bill of
 * materials, its size; then starts every target from it.
 */
export async function run(args: readonly string[], context: CommandContext): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      base: { type: 'string' },
      'stand-in-base': { type: 'boolean', default: false },
      'build-only': { type: 'boolean', default: false },
    },
  })
  const { say, stop } = context
  const buildah = new Buildah(HOME, stop)
  const base = values['stand-in-base'] ? await standInBase(buildah, HOME, say, stop) : values.base
  await step(say, 'Building the image', () => build(buildah, base))
  const container = await buildah.from(IMAGE)
  try {
    const root = await buildah.run('mount', container)
    await keep(buildah, root, say)
    if (!values['build-only']) await checkStarts({ root, config: await buildah.config(IMAGE) }, context)
  } finally {
    await buildah.run('rm', container)
  }
  return 0
}

function build(buildah: Buildah, base: string | undefined): Promise<string> {
  const args = [...trustOfMachine(HOME), ...(base === undefined ? [] : [`--build-arg=NODE_IMAGE=${base}`])]
  return buildah.build({
    tag: IMAGE,
    file: join(ROOT, 'deploy', 'Dockerfile'),
    context: ROOT,
    args: [...args, '--layers=false'],
  })
}

/** The archive and the bill of materials, side by side. Throws CommandFault when it is too large. */
async function keep(buildah: Buildah, root: string, say: (line: string) => void): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(root, 'app', 'package.json'), 'utf8')) as { version: string }
  mkdirSync(HOME, { recursive: true })
  const archive = join(HOME, `posthorn-${version}.oci.tar`)
  rmSync(archive, { force: true })
  await step(say, 'Writing the archive', () => buildah.push(IMAGE, `oci-archive:${archive}:posthorn:${version}`))
  const bill = join(HOME, `posthorn-${version}.cdx.json`)
  cpSync(join(root, 'app', 'sbom.cdx.json'), bill)
  const { components } = JSON.parse(readFileSync(bill, 'utf8')) as { components: readonly unknown[] }
  const app = sizeOf(join(root, 'app'))
  say(`${relative(ROOT, bill)}: ${components.length} packages`)
  say(`${relative(ROOT, archive)}: ${megabytes(statSync(archive).size)} MB; /app has ${megabytes(app)} MB`)
  if (app > AT_MOST_MB * 1e6) throw new CommandFault(`/app must not have more than ${AT_MOST_MB} MB.`)
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0)

import { cpSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { step, type Progress } from '@posthorn/embedded'
import { CommandFault } from '../command.js'
import { NODE } from '../repository.js'
import { output, type Buildah } from './buildah.js'

const SUITE = 'bookworm'

/**
 * Where no registry of images is reached: an image of Debian's packages with the Node and npm that
 * run this. It proves the Dockerfile and what is in /app, not the base image, and is not for use.
 */
export async function standInBase(buildah: Buildah, home: string, say: Progress, stop: AbortSignal): Promise<string> {
  const image = `localhost/posthorn-stand-in:node-${process.versions.node}`
  if (await buildah.has(image)) return image
  const rootfs = join(home, 'stand-in')
  if (!existsSync(rootfs)) await step(say, 'Installing Debian', () => installDebian(rootfs, stop))
  await step(say, 'Making the stand-in base', async () => {
    addNode(rootfs)
    const container = await buildah.from('scratch')
    await buildah.run('copy', '--quiet', container, rootfs, '/')
    const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    await buildah.run('config', `--env=PATH=${path}`, container)
    await buildah.commit(container, image)
    await buildah.run('rm', container)
  })
  return image
}

/** Made elsewhere and renamed: an interrupted one is not taken for a whole one. */
async function installDebian(rootfs: string, stop: AbortSignal): Promise<void> {
  const partial = `${rootfs}-${process.pid}`
  try {
    const { status, out, err } = await output('debootstrap', ['--variant=minbase', SUITE, partial], stop)
    if (status === 127)
      throw new CommandFault(
        'The stand-in base is made by debootstrap: install it (Debian, Ubuntu: apt install debootstrap).',
      )
    if (status !== 0)
      throw new CommandFault(`debootstrap failed:\n${(out + err).trim().split('\n').slice(-20).join('\n')}`)
    renameSync(partial, rootfs)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

function addNode(rootfs: string): void {
  const npm = npmFolder()
  const local = join(rootfs, 'usr', 'local')
  const to = join(local, 'lib', 'node_modules', 'npm')
  mkdirSync(to, { recursive: true })
  cpSync(NODE, join(local, 'bin', 'node'))
  cpSync(npm, to, { recursive: true, dereference: true })
  for (const name of ['npm', 'npx']) {
    const link = join(local, 'bin', name)
    rmSync(link, { force: true })
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, link)
  }
}

/** Of the npm that runs this command. */
function npmFolder(): string {
  const { npm_execpath: path } = process.env
  if (!path?.endsWith('npm-cli.js'))
    throw new CommandFault('The stand-in base gets the npm that runs this: start it by "npm run image".')
  return dirname(dirname(path))
}

/** So that `npm install` inside trusts what the machine trusts, where a proxy of it signs anew; nothing of it stays. */
export function trustOfMachine(home: string): readonly string[] {
  const ca = process.env.NODE_EXTRA_CA_CERTS ?? process.env.SSL_CERT_FILE
  if (ca === undefined || !existsSync(ca)) return []
  const npmrc = join(home, 'npmrc')
  writeFileSync(npmrc, 'cafile=/run/posthorn-ca.pem\n')
  return [`--volume=${ca}:/run/posthorn-ca.pem:ro`, `--volume=${npmrc}:/usr/local/etc/npmrc:ro`]
}

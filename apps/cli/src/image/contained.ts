import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { CommandFault } from '../command.js'
import { output, type ImageConfig } from './buildah.js'

/** The file system of an image, and as what its programs run. */
export interface Contained {
  readonly root: string
  readonly config: ImageConfig
}

/**
 * A mount namespace of its own, which ends with the program: the root read-only, as the user of the image,
 * without capabilities and without a way to get any: what the chart's security contexts say.
 */
const ENTER = `
set -e
mount --bind "$ROOT" "$ROOT"
mount -o remount,bind,ro "$ROOT"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
user=$IMAGE_USER; root=$ROOT; home=$WORKDIR
unset ROOT IMAGE_USER WORKDIR
exec chroot "$root" setpriv --reuid="\${user%:*}" --regid="\${user#*:}" --clear-groups --bounding-set=-all \\
  --inh-caps=-all --no-new-privs env --chdir="$home" "$@"`

/** Command and environment with which a program of the image runs here. */
function entering({ root, config }: Contained, program: readonly string[], env: NodeJS.ProcessEnv) {
  const own = Object.fromEntries(
    config.Env.map(each => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
  )
  const args = ['--mount', '--propagation=private', '--', 'sh', '-c', ENTER, 'enter', ...program]
  return { args, env: { ...own, ...env, ROOT: root, IMAGE_USER: config.User, WORKDIR: config.WorkingDir } }
}

/** A command of the image, to its end. Throws CommandFault with its words when it fails. */
export async function runIn(image: Contained, program: readonly string[], env: NodeJS.ProcessEnv, stop: AbortSignal) {
  const entered = entering(image, program, env)
  const { status, out, err } = await output('unshare', entered.args, stop, entered.env)
  if (status !== 0)
    throw new CommandFault(`${program.join(' ')} ended with ${status} in the image:\n${(out + err).trim()}`)
  return out + err
}

export interface ContainedService {
  readonly target: string
  readonly addresses: Readonly<Record<string, string>>
  /** What the kernel says of its rights. */
  readonly status: string
  /** SIGTERM; resolves with how it ended. */
  end(): Promise<string>
}

/** A service by the entry point of the image; resolves when it says that it is ready. */
export async function startIn(image: Contained, target: string, env: NodeJS.ProcessEnv): Promise<ContainedService> {
  const entered = entering(image, [...image.config.Entrypoint, `--target=${target}`], env)
  const stdio: StdioOptions = ['ignore', 2, 2, 'ipc']
  const child = spawn('unshare', entered.args, { env: entered.env, stdio })
  const addresses = await ready(child, target)
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  const exited = new Promise<string>(resolve =>
    child.once('exit', (code, signal) => resolve(signal ?? `status ${code}`)),
  )
  const end = () => {
    child.kill('SIGTERM')
    return exited
  }
  return { target, addresses, status, end }
}

function ready(child: ChildProcess, target: string): Promise<Readonly<Record<string, string>>> {
  return new Promise((resolve, reject) => {
    child.once('message', message => resolve((message as { addresses: Record<string, string> }).addresses))
    child.once('error', reject)
    child.once('exit', code => reject(new CommandFault(`The ${target} of the image did not start (status ${code}).`)))
  })
}

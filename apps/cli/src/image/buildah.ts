import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandFault } from '../command.js'

/** What of an image's configuration is checked and used. */
export interface ImageConfig {
  readonly User: string
  readonly Env: readonly string[]
  readonly WorkingDir: string
  readonly Entrypoint: readonly string[]
  readonly ExposedPorts: Readonly<Record<string, object>>
}

/** Says what to install. */
const MISSING =
  'The image is built by buildah, which needs no engine: install it (Debian, Ubuntu: apt install buildah), ' +
  'or build with an engine of your own: docker build -f deploy/Dockerfile -t posthorn .'

/** buildah with storage of its own, so that nothing of the machine's containers is touched. */
export class Buildah {
  private readonly global: readonly string[]
  private readonly policy: string

  /** Plain copies of layers (vfs) and chroot: they work in a container of a CI, too. */
  constructor(
    home: string,
    private readonly stop: AbortSignal,
  ) {
    mkdirSync(home, { recursive: true })
    this.policy = join(home, 'policy.json')
    writeFileSync(this.policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }))
    const registries = join(home, 'registries.conf')
    writeFileSync(registries, 'unqualified-search-registries=["docker.io"]\n')
    const storage = [`--root=${join(home, 'storage')}`, `--runroot=${join(home, 'run')}`, '--storage-driver=vfs']
    this.global = [...storage, `--registries-conf=${registries}`]
  }

  /** Resolves with what it printed; throws CommandFault with its words when it fails. */
  async run(command: string, ...args: readonly string[]): Promise<string> {
    const { status, out, err } = await output('buildah', [...this.global, command, ...args], this.stop)
    if (status === 127) throw new CommandFault(MISSING)
    if (status !== 0)
      throw new CommandFault(`buildah ${command} failed:\n${(out + err).trim().split('\n').slice(-40).join('\n')}`)
    return out.trim()
  }

  async has(image: string): Promise<boolean> {
    return (await this.run('images', '--quiet', '--filter', `reference=${image}`)) !== ''
  }

  build(options: { tag: string; file: string; context: string; args: readonly string[] }): Promise<string> {
    const { tag, file, context, args } = options
    return this.run(
      'build',
      '--isolation=chroot',
      '--format=docker',
      ...this.signed,
      ...args,
      `--file=${file}`,
      `--tag=${tag}`,
      context,
    )
  }

  /** A working container of an image, or of nothing. */
  from(image: string): Promise<string> {
    return this.run('from', ...this.signed, image)
  }

  commit(container: string, image: string): Promise<string> {
    return this.run('commit', '--quiet', ...this.signed, container, image)
  }

  push(image: string, to: string): Promise<string> {
    return this.run('push', '--quiet', ...this.signed, image, to)
  }

  async config(image: string): Promise<ImageConfig> {
    const text = await this.run('inspect', '--type=image', image)
    return (JSON.parse(text) as { Docker: { config: ImageConfig } }).Docker.config
  }

  private get signed(): readonly string[] {
    return [`--signature-policy=${this.policy}`]
  }
}

/** Standard output alone; 127 where there is no such program. */
export function output(command: string, args: readonly string[], signal: AbortSignal, env = process.env) {
  return new Promise<{ status: number; out: string; err: string }>((resolve, reject) => {
    const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'], signal, env })
    const [out, err]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' ? resolve({ status: 127, out: '', err: error.message }) : reject(error),
    )
    child.once('close', code =>
      resolve({ status: code ?? 1, out: String(Buffer.concat(out)), err: String(Buffer.concat(err)) }),
    )
  })
}

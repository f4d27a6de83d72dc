import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { EmbeddedFault } from './fault.js'
import { portIsFree } from './free-ports.js'

const JAVA_AT_LEAST = 17
const FREE_DISK_AT_LEAST = 2 * 1024 ** 3

export interface Java {
  readonly command: string
  /** Full version, such as 17.0.15. */
  readonly version: string
}

/** The Java of JAVA_HOME, else of the PATH. */
export async function requireJava(env: NodeJS.ProcessEnv = process.env): Promise<Java> {
  const command = env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', 'java') : 'java'
  const { status, output } = await run(command, ['-version'])
  const version = /version "([^"]+)"/.exec(output)?.[1]
  const howTo =
    'install it (Debian, Ubuntu: apt install openjdk-17-jre-headless; macOS: brew install openjdk) and start again, ' +
    'or set POSTHORN_KAFKA_BROKERS to a Kafka of your own.'
  if (status !== 0 || version === undefined)
    throw new EmbeddedFault(
      'java_missing',
      `Kafka needs Java ${JAVA_AT_LEAST} or newer and "${command}" found none: ${howTo}`,
    )
  const major = Number.parseInt(version, 10)
  if (major < JAVA_AT_LEAST)
    throw new EmbeddedFault(
      'java_missing',
      `Kafka needs Java ${JAVA_AT_LEAST} or newer and "${command}" is ${version}: ${howTo}`,
    )
  return { command, version }
}

/** Maven is only needed until the libraries of Kafka are in the cache. */
export async function requireMaven(): Promise<string> {
  const { status } = await run('mvn', ['--version'])
  if (status !== 0)
    throw new EmbeddedFault(
      'maven_missing',
      'Kafka is downloaded by Maven and "mvn" found none: install it (Debian, Ubuntu: apt install maven; ' +
        'macOS: brew install maven) and start again, or set POSTHORN_KAFKA_BROKERS to a Kafka of your own.',
    )
  return 'mvn'
}

/** Refuses a port that is in use; `variable` is what the reader can set to move it. */
export async function requirePort(port: number, what: string, variable: string): Promise<void> {
  if (await portIsFree(port)) return
  throw new EmbeddedFault(
    'port_taken',
    `Port ${port} on 127.0.0.1, wanted for ${what}, is in use: stop the program that uses it, or set ${variable} to another port.`,
  )
}

export async function requireDisk(dir: string): Promise<void> {
  mkdirSync(dir, { recursive: true })
  const { bavail, bsize } = await statfs(dir)
  const free = bavail * bsize
  if (free < FREE_DISK_AT_LEAST)
    throw new EmbeddedFault(
      'disk_full',
      `${dir} has ${(free / 1024 ** 3).toFixed(1)} GiB free and Kafka and Postgres need ` +
        `${FREE_DISK_AT_LEAST / 1024 ** 3} GiB: free some space, or set POSTHORN_EMBEDDED_DIR to a folder on another disk.`,
    )
}

/** Runs a program to its end; a program that is not there is status 127. */
export function run(
  command: string,
  args: readonly string[],
  options: { uid?: number | undefined; gid?: number | undefined; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<{ status: number; output: string }> {
  return new Promise(resolve => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.once('error', error => resolve({ status: 127, output: error.message }))
    child.once('close', code => resolve({ status: code ?? 1, output }))
  })
}

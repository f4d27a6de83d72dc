import { spawn, type ChildProcess } from 'node:child_process'
import type { Progress } from '@posthorn/embedded'
import { NODE } from './repository.js'

export type Addresses = Readonly<Record<string, string>>

export interface ProcessSpec {
  /** Its key in `pids`. */
  readonly name: string
  /** A script with its arguments. */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Takes what the process writes; 2 is our own stderr. */
  readonly outputFd: number
  /** The addresses in the message by which the process says that it is ready; undefined for any other message. */
  readonly readyIn: (message: unknown) => Addresses | undefined
  readonly onMessage: (message: unknown) => void
  /** Called after every start and every end. */
  readonly onChange: () => void
  readonly say: Progress
}

type State =
  | { readonly kind: 'running'; readonly child: ChildProcess; readonly since: number; ready: boolean }
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'stopped' }

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 5000
/** Who lived that long did not die of its start. */
const GOOD_LIFE_MS = 10_000
const STOP_GRACE_MS = 8000

/**
 * A process that is started again whenever it ends, with a growing delay. Only a first start that
 * never becomes ready is final: the mistake is then in the configuration, and its words are above.
 */
export class SupervisedProcess {
  private state: State = { kind: 'stopped' }
  private stopping = false
  private delayMs = FIRST_DELAY_MS
  private everReady = false
  addresses: Addresses = {}

  constructor(private readonly spec: ProcessSpec) {}

  get name(): string {
    return this.spec.name
  }

  get pid(): number | undefined {
    return this.state.kind === 'running' ? this.state.child.pid : undefined
  }

  /** Resolves when it is ready for the first time; rejects when it ends before. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => this.spawn(resolve, reject))
  }

  /** SIGTERM, and SIGKILL to its group when it takes longer than 8 s. */
  async stop(): Promise<void> {
    this.stopping = true
    const state = this.state
    if (state.kind === 'waiting') clearTimeout(state.timer)
    if (state.kind !== 'running') return
    const gone = new Promise(resolve => state.child.once('exit', resolve))
    state.child.kill('SIGTERM')
    const timer = setTimeout(() => killGroup(state.child), STOP_GRACE_MS)
    await gone
    clearTimeout(timer)
  }

  private spawn(onReady: () => void, onFirstEnd: (error: Error) => void): void {
    const { args, env, outputFd } = this.spec
    // A group of its own, so that Ctrl-C comes to us alone; the channel tells it when we are gone.
    const child = spawn(NODE, args, { env, detached: true, stdio: ['ignore', outputFd, outputFd, 'ipc'] })
    const running = { kind: 'running' as const, child, since: performance.now(), ready: false }
    this.state = running
    child.on('message', message => {
      const addresses = this.spec.readyIn(message)
      if (addresses === undefined) return this.spec.onMessage(message)
      running.ready = true
      this.everReady = true
      this.addresses = addresses
      this.spec.onChange()
      onReady()
    })
    const ended = (how: string) => {
      if (this.state !== running) return
      this.state = { kind: 'stopped' }
      if (!this.everReady) onFirstEnd(new Error(`${this.spec.name} ended with ${how} before it was ready`))
      else if (!this.stopping) this.startAgain(how, performance.now() - running.since)
      this.spec.onChange()
    }
    child.once('error', error => ended(error.message))
    child.once('exit', (code, signal) => ended(signal ?? `status ${code}`))
    this.spec.onChange()
  }

  private startAgain(how: string, lifeMs: number): void {
    if (lifeMs >= GOOD_LIFE_MS) this.delayMs = FIRST_DELAY_MS
    const delay = this.delayMs
    this.delayMs = Math.min(delay * 2, LONGEST_DELAY_MS)
    this.spec.say(`${this.spec.name} ended (${how}): starting it again in ${delay / 1000} s`)
    const nothing = () => undefined
    this.state = { kind: 'waiting', timer: setTimeout(() => this.spawn(nothing, nothing), delay) }
  }
}

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL')
  } catch {
    // Gone in this very moment.
  }
}

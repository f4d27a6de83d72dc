import { setTimeout as sleep } from 'node:timers/promises'
import type { Progress } from '@posthorn/embedded'

export interface Startable {
  readonly pid: number
  readonly exited: Promise<string>
  stop(): Promise<void>
}

const AGAIN_AFTER_MS = 1000

/** Kafka or Postgres of this stack: started again when it ends, until the stack is stopped. */
export class KeptServer<T extends Startable> {
  private current?: Promise<T>
  private running?: T | undefined
  private stopping = false

  constructor(
    readonly name: string,
    private readonly launch: () => Promise<T>,
    private readonly say: Progress,
    private readonly onChange: () => void,
  ) {}

  get pid(): number | undefined {
    return this.running?.pid
  }

  async start(): Promise<T> {
    this.current = this.launch()
    const server = await this.current
    this.running = server
    this.onChange()
    void server.exited.then(how => this.ended(how))
    return server
  }

  /** Also ends one that is just starting. */
  async stop(): Promise<void> {
    this.stopping = true
    const server = await this.current?.catch(() => undefined)
    await server?.stop()
  }

  private async ended(how: string): Promise<void> {
    this.running = undefined
    if (this.stopping) return
    this.onChange()
    this.say(`${this.name} ended (${how}): starting it again`)
    while (!this.stopping) {
      try {
        await this.start()
        return
      } catch (error) {
        this.say((error as Error).message)
        await sleep(AGAIN_AFTER_MS)
      }
    }
  }
}

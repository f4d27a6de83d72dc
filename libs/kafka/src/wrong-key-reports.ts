import { randomUUID } from 'node:crypto'
import { encodeWrongKeys, KEY_USES, wrongKeyStep } from '@posthorn/topics'
import type { SafeProducer } from './safe-producer.js'

/** Codes of refused requests that came with a key or a signature that is none. */
const WRONG = new Set(['key_invalid', 'signature_invalid', 'wrong_keys_limited'])
const EVERY_MS = 2_000
const TIMEOUT_MS = 10_000

/**
 * Tells by key-uses.v1 how many requests with wrong keys this process has refused: who raises alerts of it has no other
 * way to know. What a step counted is told again when it grows; a count that cannot be told is let go.
 */
export class WrongKeyReports {
  private readonly id = `wrong-keys/${randomUUID()}`
  private readonly timer: NodeJS.Timeout
  private version = 0
  private count = 0
  private told = 0

  constructor(private readonly producer: Pick<SafeProducer, 'send'>) {
    this.timer = setInterval(() => this.tell(), EVERY_MS).unref()
  }

  /** Told of every refused request by the code of its error. */
  note(code: string): void {
    if (!WRONG.has(code)) return
    const version = wrongKeyStep(Date.now())
    if (version !== this.version) {
      this.tell()
      this.version = version
      this.count = this.told = 0
    }
    this.count++
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private tell(): void {
    const { id, version, count } = this
    if (count === this.told) return
    this.told = count
    this.producer
      .send(KEY_USES, encodeWrongKeys({ id, version, count }), { timeoutMs: TIMEOUT_MS })
      .catch(() => undefined)
  }
}

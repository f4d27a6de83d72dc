import type { SafeProducer } from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import { encodeKeyUse, KEY_USES, keyUse } from '@posthorn/topics'

/** A use that cannot be told by then is let go: a later one tells the same. */
const TIMEOUT_MS = 30_000
/** With so much waiting Kafka is away: nothing is published then, either. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024

/** Tells by key-uses.v1 which keys are used, each once a minute: the database that shows it may be down meanwhile. */
export class KeyUses {
  /** Of the present minute alone, so that it stays as small as the keys in use. */
  private readonly told = new Set<string>()
  private minute = -1

  constructor(
    private readonly output: Pick<SafeProducer, 'send' | 'queuedBytes'>,
    private readonly logger: Pick<Logger, 'debug'>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Never throws, and costs the request a look-up. */
  note(id: string): void {
    const use = keyUse(id, this.now())
    if (use.version !== this.minute) {
      this.told.clear()
      this.minute = use.version
    }
    if (this.told.has(id) || this.output.queuedBytes >= MAX_QUEUED_BYTES) return
    this.told.add(id)
    this.output
      .send(KEY_USES, encodeKeyUse(use), { timeoutMs: TIMEOUT_MS })
      .catch((error: unknown) => this.logger.debug({ err: error, key: id }, 'the use of a key was not told'))
  }
}

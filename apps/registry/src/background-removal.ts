import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Tenants, Webhooks, Idempotency } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'
import { Bell } from './bell.js'

/** Work of another registry that died is found after this. */
const LOOK_EVERY_MS = 10_000
const SECRETS_AT_ONCE = 500

export interface RemovalParts {
  readonly tenants: Pick<Tenants, 'nextDeletion' | 'removeSome'>
  readonly webhooks: Pick<Webhooks, 'endSecrets'>
  readonly idempotency: Pick<Idempotency, 'sweep'>
  readonly logger: Logger
  /** The documents of what was removed are to be published. */
  readonly changed: () => void
}

/**
 * What is removed in the background: what deleted tenants had, secrets whose overlap is over, and old
 * answers to Idempotency-Keys. Each part is a transaction, so that a kill loses one part, and several
 * registries may work at once.
 */
export class BackgroundRemoval {
  private readonly bell = new Bell()
  private ending = false
  private running: Promise<void> = Promise.resolve()

  constructor(private readonly parts: RemovalParts) {}

  start(): void {
    this.running = this.run()
  }

  /** A tenant was deleted: begin now. */
  wake(): void {
    this.bell.ring()
  }

  async stop(): Promise<void> {
    this.ending = true
    this.bell.ring()
    await this.running
  }

  private async run(): Promise<void> {
    let said = ''
    while (!this.ending) {
      try {
        await this.removeAll()
        said = ''
      } catch (error) {
        if (String(error) !== said) this.parts.logger.warn({ err: error }, 'the removal of old data waits')
        said = String(error)
      }
      await this.bell.wait(LOOK_EVERY_MS)
    }
  }

  private async removeAll(): Promise<void> {
    const { tenants, webhooks, idempotency, changed } = this.parts
    for (;;) {
      const tenant = this.ending ? undefined : await tenants.nextDeletion()
      if (tenant === undefined) break
      while (!this.ending && (await tenants.removeSome(tenant))) {
        changed()
        await nextTurn()
      }
      changed()
    }
    if (!this.ending && (await webhooks.endSecrets(new Date(), SECRETS_AT_ONCE)) > 0) changed()
    if (!this.ending) await idempotency.sweep()
  }
}

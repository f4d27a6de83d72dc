import { createHash } from 'node:crypto'
import { ApiError, type Caller } from '@posthorn/api'
import { SealError, type Sealer } from '@posthorn/sealing'
import { idempotencyContext, type ClaimedRequest, type Idempotency } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'

const KEY = /^[\x20-\x7e]{1,255}$/

/** What a request with an Idempotency-Key is about: the same again has the same fingerprint. */
export interface IdempotentRequest {
  readonly caller: Caller
  readonly key: string
  /** Method, path, body: whatever makes it the same request. */
  readonly parts: readonly (string | Uint8Array)[]
}

export interface IdempotentAnswer<T> {
  readonly answer: T
  /** Whether it is the stored one of an earlier request. */
  readonly replayed: boolean
}

/** By the caller, of whom each request has one of its own. */
const running = new WeakMap<Caller, ClaimedRequest>()

/** The claim of the request that the caller makes, for the transaction of what it changes; undefined without a key. */
export function claimOf(caller: Caller): ClaimedRequest | undefined {
  return running.get(caller)
}

/** Runs a request with an Idempotency-Key once, and answers its repeats with what was answered then. */
export class IdempotentAnswers {
  constructor(
    private readonly store: Idempotency,
    private readonly sealer: Sealer,
    private readonly logger: Logger,
  ) {}

  /** `run` answers with JSON. Throws ApiError request_invalid, idempotency_running, idempotency_answer_lost, idempotency_mismatch. */
  async once<T>(request: IdempotentRequest, run: () => Promise<T>): Promise<IdempotentAnswer<T>> {
    const { key } = request
    if (!KEY.test(key))
      throw new ApiError('request_invalid', 'The header Idempotency-Key must be 1 to 255 printable ASCII characters.')
    const scope = `${request.caller.key} ${request.caller.tenant}`
    const claim = await this.store.claim(scope, key, fingerprint(request.parts))
    switch (claim.kind) {
      case 'answered':
        return {
          answer: JSON.parse(this.open(claim.sealedAnswer, idempotencyContext(scope, key))) as T,
          replayed: true,
        }
      case 'running':
        throw new ApiError('idempotency_running', 'The first request with this Idempotency-Key is not answered yet.')
      case 'lost':
        throw new ApiError(
          'idempotency_answer_lost',
          'The first request with this Idempotency-Key has changed something.',
        )
      case 'other':
        throw new ApiError('idempotency_mismatch', 'This Idempotency-Key came with another request before.')
      case 'ours':
        running.set(request.caller, claim.request)
        return { answer: await this.run(claim.request, run), replayed: false }
    }
  }

  /** What failed and has changed nothing leaves its key free again. The answer may hold secrets, so it is kept sealed. */
  private async run<T>(claimed: ClaimedRequest, run: () => Promise<T>): Promise<T> {
    let answer: T
    try {
      answer = await run()
    } catch (error) {
      await this.store.release(claimed).catch((failure: unknown) => this.lost(failure))
      throw error
    }
    const sealed = this.sealer.seal(JSON.stringify(answer ?? null), idempotencyContext(claimed.scope, claimed.key))
    await this.store.keep(claimed, sealed).catch((failure: unknown) => this.lost(failure))
    return answer
  }

  private open(sealed: string, context: string): string {
    try {
      return this.sealer.unseal(sealed, context)
    } catch (error) {
      if (!(error instanceof SealError)) throw error
      this.logger.error({ err: error }, 'the answer to an Idempotency-Key does not open')
      throw new ApiError('idempotency_answer_lost', 'The answer to this Idempotency-Key cannot be opened any more.')
    }
  }

  private lost(failure: unknown): void {
    this.logger.warn(
      { err: failure },
      'the answer to an Idempotency-Key was not kept: a repeat of what changed something gets none',
    )
  }
}

/** Each part with its length, so that no two different requests give the same. */
function fingerprint(parts: IdempotentRequest['parts']): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part)
  return hash.digest('base64url')
}

import { checkDiscard, type Caller, type DiscardDeadLettersBody, type DiscardedView } from '@posthorn/api'
import { DISCARDED_AT_ONCE, type DeadLetters, type DeadLetterSelection, type ReplayQueries } from '@posthorn/store'
import { parseTypePattern } from '@posthorn/webhook'
import { actorOf } from './auditing.js'
import { claimOf } from './idempotent-answers.js'
import { refuseIds } from './replays.js'
import type { TenantCases } from './tenants.js'

/** Dead letters that are given up for good: lists of them are of the history. */
export class DeadLetterCases {
  constructor(
    private readonly deadLetters: DeadLetters,
    private readonly history: Pick<ReplayQueries, 'unknown'>,
    private readonly tenants: Pick<TenantCases, 'require'>,
  ) {}

  /** Those that are open, the oldest first. What is none, or was discarded before, is not counted. */
  async discard(caller: Caller, body: DiscardDeadLettersBody): Promise<DiscardedView> {
    const { tenant, key } = caller
    await this.tenants.require(tenant)
    const now = Date.now()
    checkDiscard(body, now)
    const { deliveries: ids } = body
    if (ids) refuseIds('delivery_not_found', ids, await this.history.unknown(tenant, ids), 'is not in the history')
    const selection = selectionOf(body, now)
    if (body.dry_run) {
      const discarded = await this.deadLetters.count(tenant, selection)
      return { discarded, more: discarded > DISCARDED_AT_ONCE }
    }
    const { dry_run: _dry, ...chosen } = body
    return this.deadLetters.discard(tenant, selection, key, discarded => ({
      ...actorOf(caller),
      request: claimOf(caller),
      tenant,
      action: 'dead_letters.discarded',
      subject: subjectOf(body, tenant),
      before: null,
      after: { ...chosen, to: selection.to, discarded },
    }))
  }
}

/** What the audit can be asked for: the webhook or the one delivery, else all that the tenant has. */
function subjectOf({ webhook, deliveries }: DiscardDeadLettersBody, tenant: string): string {
  return webhook ?? (deliveries?.length === 1 ? deliveries[0]! : tenant)
}

function selectionOf(body: DiscardDeadLettersBody, now: number): DeadLetterSelection {
  const { deliveries, webhook, event_type: type, status, from } = body
  return {
    ...(deliveries && { ids: deliveries }),
    ...(webhook !== undefined && { webhook }),
    ...(type !== undefined && typeOf(type)),
    ...(status && { status }),
    ...(from !== undefined && { from }),
    to: body.to ?? new Date(now).toISOString(),
  }
}

function typeOf(text: string): Pick<DeadLetterSelection, 'type'> {
  const pattern = parseTypePattern(text)
  if (pattern?.kind === 'exact') return { type: { exact: pattern.type } }
  return pattern?.kind === 'prefix' ? { type: { prefix: pattern.prefix } } : {}
}

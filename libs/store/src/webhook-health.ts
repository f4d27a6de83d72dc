import type { OwnEvent } from '@posthorn/topics'
import {
  advance,
  healthLimits,
  nextToTell,
  receivesEvents,
  UNKNOWN_HEALTH,
  type Health,
  type HealthTold,
  type Reached,
} from '@posthorn/webhook'
import { signalsOf, type AttemptSignal } from './health-signals.js'
import {
  deleteHealth,
  noteReach,
  readHealth,
  readSettings,
  reachedIn,
  saveHealth,
  type HealthRow,
  type HealthSettings,
  type Interval,
} from './health-tables.js'
import type { PositionedEntry } from './history-entries.js'
import type { SqlClient } from './history-pool.js'
import { raiseOwnEvent } from './own-events.js'

export interface HealthRules {
  /** For webhooks that do not say it themselves; 0: never. */
  readonly disableAfterSeconds: number
  /** The share of that time after which a webhook is warned of. */
  readonly warnAt: number
}

interface Tracked {
  readonly settings: HealthSettings
  readonly signals: readonly AttemptSignal[]
  readonly known: HealthRow | undefined
}

/**
 * Keeps the health of webhooks that fail, and of no others, in the transaction that moves the offsets: each
 * attempt counts once, whoever reads it. What is to be told goes out by HealthReports.
 */
export class HealthKeeper {
  constructor(private readonly rules: HealthRules) {}

  /** Entries that are not in the history yet, in the order of their offsets. */
  async note(client: SqlClient, entries: readonly PositionedEntry[]): Promise<void> {
    const signals = signalsOf(entries)
    if (signals.size === 0) return
    await noteReach(client, entries)
    const rows = await readHealth(client, [...signals.keys()])
    const concerned = [...signals].filter(([id, some]) => rows.has(id) || some.some(({ ok }) => !ok))
    if (concerned.length === 0) return
    const settings = await readSettings(
      client,
      concerned.map(([id]) => id),
    )
    const tracked = concerned.flatMap(([id, some]): Tracked[] => {
      const found = settings.get(id)
      // What is still under way to a webhook that was disabled meanwhile says nothing new.
      return found && receivesEvents(found.status) ? [{ settings: found, signals: some, known: rows.get(id) }] : []
    })
    await this.save(client, tracked, await reachedBetween(client, tracked))
  }

  private async save(client: SqlClient, tracked: readonly Tracked[], reached: Reached): Promise<void> {
    const kept: { row: HealthRow; told: HealthTold | undefined; settings: HealthSettings }[] = []
    const ended: string[] = []
    for (const one of tracked) {
      const row = rowOf(one, healthOf(one, reached))
      const told = nextToTell(row.told, row.health, this.limitsOf(one.settings))
      if (told === undefined && isNothing(row)) {
        if (one.known) ended.push(row.webhook)
      } else
        kept.push({ row: told === undefined ? row : { ...row, told, published: false }, told, settings: one.settings })
    }
    await deleteHealth(client, ended)
    const revisions = await saveHealth(
      client,
      kept.map(({ row, told }) => ({ row, changed: told !== undefined })),
    )
    for (const { row, told, settings } of kept) {
      const event = told && this.eventOf(row, told, settings, revisions.get(row.webhook)!)
      if (event) await raiseOwnEvent((text, values) => client.query({ text, values }), event)
    }
  }

  private limitsOf({ disableAfterSeconds }: HealthSettings) {
    return healthLimits(disableAfterSeconds ?? this.rules.disableAfterSeconds, this.rules.warnAt)
  }

  /** The registry tells of the end itself, once it has come. */
  private eventOf(row: HealthRow, told: HealthTold, settings: HealthSettings, revision: number): OwnEvent | undefined {
    const { webhook, tenant, health } = row
    const url = shownUrl(settings.url)
    const event = { tenant, subject: webhook, time: new Date().toISOString() }
    if (told === 'healthy') {
      const data = { webhook, url, by: 'success' }
      return { ...event, id: `${webhook}.recovered.${revision}`, type: 'posthorn.webhook.recovered', data }
    }
    if (told !== 'failing' || health.kind !== 'failing') return undefined
    const data = {
      webhook,
      url,
      failing_since: new Date(health.since).toISOString(),
      failures: health.failures,
      failed_seconds: Math.floor(health.countedMs / 1000),
      disable_after_seconds: settings.disableAfterSeconds ?? this.rules.disableAfterSeconds,
      ...(row.statusCode === null ? {} : { last_status_code: row.statusCode }),
      ...(row.errorClass === null ? {} : { last_error_class: row.errorClass }),
    }
    return { ...event, id: `${webhook}.failing.${revision}`, type: 'posthorn.webhook.failing', data }
  }
}

/** As other receivers of the tenant may see it: the path of a webhook's URL may be a secret, as its query may. */
export function shownUrl(url: string): string {
  return new URL(url).origin
}

/** Asks for all intervals that matter at once: which they are does not depend on the answers. */
async function reachedBetween(client: SqlClient, tracked: readonly Tracked[]): Promise<Reached> {
  const asked = new Map<string, Interval>()
  const nameOf = (from: number, to: number) => `${from} ${to}`
  for (const one of tracked) healthOf(one, (from, to) => asked.set(nameOf(from, to), { from, to }).size < 0)
  const intervals = [...asked.values()]
  const answers = await reachedIn(client, intervals)
  const reached = new Set(intervals.filter((_, index) => answers[index]).map(({ from, to }) => nameOf(from, to)))
  return (from, to) => reached.has(nameOf(from, to))
}

/** From where a person has begun anew, all that was before counts as past. */
function healthOf({ settings: { activeSince }, signals, known }: Tracked, reached: Reached): Health {
  const health = known?.health ?? UNKNOWN_HEALTH
  const begun = activeSince === undefined ? health : advance(health, { at: activeSince, ok: true }, reached)
  return signals.reduce((before, signal) => advance(before, signal, reached), begun)
}

function rowOf({ settings, signals, known }: Tracked, health: Health): HealthRow {
  const failure = signals.findLast(({ ok }) => !ok)
  return {
    webhook: settings.id,
    tenant: settings.tenant,
    webhookVersion: signals.at(-1)!.webhookVersion,
    health,
    statusCode: failure ? failure.statusCode : (known?.statusCode ?? null),
    errorClass: failure ? failure.errorClass : (known?.errorClass ?? null),
    told: known?.told ?? 'nothing',
    revision: known?.revision ?? 0,
    published: known?.published ?? true,
  }
}

function isNothing({ health, told, published }: HealthRow): boolean {
  return health.kind !== 'failing' && (told === 'nothing' || (told === 'healthy' && published))
}

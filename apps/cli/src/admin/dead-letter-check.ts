import { KafkaConnection, kafkaOptionsFrom, PartitionReader } from '@posthorn/kafka'
import type { Settings } from '@posthorn/process'
import { keptDeadLetters, openHistoryPool, type KeptDeadLetters } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { DEAD_LETTERS, decodeDeadLetter, groupName, MONITOR_GROUP } from '@posthorn/topics'
import { CommandFault } from '../command.js'
import { settingsHere } from '../settings-here.js'

/** A dead letter as it stands on the topic. */
export interface LoggedDeadLetter {
  readonly delivery: string
  readonly run: string
  readonly attempt: number
  readonly outcome: string
  readonly webhook: string
  readonly tenant: string
  /** RFC 3339. */
  readonly acceptedAt: string
  readonly partition: number
  readonly offset: number
}

export type DifferenceKind = 'not_in_database' | 'not_on_topic' | 'other_outcome'

export interface Difference {
  readonly kind: DifferenceKind
  readonly delivery: string
  readonly run: string
  readonly webhook: string
  readonly tenant: string
  /** partition/offset on the topic. */
  readonly position: string | null
  readonly advice: string
}

export interface Comparison {
  readonly agree: number
  readonly differences: readonly Difference[]
  /** On the topic, and not read by the monitor yet. */
  readonly behind: number
  /** On the topic, and older than the history keeps, or of a tenant that was deleted. */
  readonly forgotten: number
  readonly discarded: number
  /** Records of the topic that are no dead letters: they are poison. */
  readonly unreadable: number
}

const ADVICE: { readonly [K in DifferenceKind]: string } = {
  not_in_database:
    'The history lost it: it is not listed, and not redriven. Replay the log to its webhook, or publish its event anew.',
  not_on_topic:
    'The topic lost it. It can be redriven from the history all the same; look who deleted records, and whether retention.ms of the topic was shortened.',
  other_outcome: 'The two tell of another end. Look at the attempts of the delivery, and redrive or discard it.',
}

/** What each has that the other has not, beyond what the monitor has still to read and what is kept no more. */
export function compareDeadLetters(
  logged: readonly LoggedDeadLetter[],
  unreadable: number,
  kept: KeptDeadLetters,
): Comparison {
  const rows = new Map(kept.rows.map(row => [keyOf(row), row]))
  const differences: Difference[] = []
  const seen = new Set<string>()
  let [agree, behind, forgotten] = [0, 0, 0]
  for (const record of logged) {
    const key = keyOf(record)
    const row = rows.get(key)
    // A deliverer that was killed may have written it twice.
    if (seen.has(key)) continue
    seen.add(key)
    const differs = (kind: DifferenceKind) =>
      differences.push(difference(kind, record, `${record.partition}/${record.offset}`))
    if (row?.outcome === record.outcome) agree++
    else if (row) differs('other_outcome')
    else if (record.offset >= (kept.positions.get(record.partition) ?? 0)) behind++
    else if (isForgotten(record, kept)) forgotten++
    else differs('not_in_database')
  }
  for (const [key, row] of rows) if (!seen.has(key)) differences.push(difference('not_on_topic', row, null))
  return { agree, differences, behind, forgotten, discarded: kept.discarded, unreadable }
}

const keyOf = ({ delivery, run, attempt }: Pick<LoggedDeadLetter, 'delivery' | 'run' | 'attempt'>): string =>
  `${delivery}/${run}/${attempt}`

function isForgotten({ acceptedAt, tenant }: LoggedDeadLetter, { oldestDay, removed }: KeptDeadLetters): boolean {
  return oldestDay === undefined || acceptedAt.slice(0, 10) < oldestDay || removed.has(tenant)
}

function difference(
  kind: DifferenceKind,
  { delivery, run, webhook, tenant }: Pick<LoggedDeadLetter, 'delivery' | 'run' | 'webhook' | 'tenant'>,
  position: string | null,
): Difference {
  return { kind, delivery, run, webhook, tenant, position, advice: ADVICE[kind] }
}

/**
 * Holds dead-letters.v1 against the database. The database is read first: what it has was on the topic
 * before. Throws CommandFault when there is no database.
 */
export async function checkDeadLetters(env: NodeJS.ProcessEnv): Promise<Comparison> {
  const settings = settingsHere(env)
  const logger = createLogger('error', 'posthorn-dead-letters')
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'dead-letters'))
  const kept = await readKept(settings, connection)
  const partitions = await connection.partitionsOf(DEAD_LETTERS)
  const read = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => readLogged(connection, partition)),
  )
  const unreadable = read.reduce((sum, each) => sum + each.unreadable, 0)
  return compareDeadLetters(
    read.flatMap(({ logged }) => logged),
    unreadable,
    kept,
  )
}

async function readKept({ databaseUrl }: Settings, connection: KafkaConnection): Promise<KeptDeadLetters> {
  if (databaseUrl === undefined)
    throw new CommandFault('POSTHORN_DATABASE_URL is not set: name the database of the platform.')
  const pool = openHistoryPool(databaseUrl, { max: 1, name: 'posthorn-dead-letters', onError: () => undefined })
  try {
    return await keptDeadLetters(pool, {
      topic: connection.topic(DEAD_LETTERS),
      group: groupName(connection.prefix, MONITOR_GROUP),
      since: Date.now() - DEAD_LETTERS.retentionMs!,
    })
  } catch (error) {
    throw new CommandFault(`Postgres of POSTHORN_DATABASE_URL does not answer: ${(error as Error).message}`)
  } finally {
    await pool.end()
  }
}

const FETCH_WAIT_MS = 500

async function readLogged(connection: KafkaConnection, partition: number) {
  const reader = new PartitionReader(connection, connection.topic(DEAD_LETTERS), partition)
  const logged: LoggedDeadLetter[] = []
  let unreadable = 0
  try {
    await reader.open()
    let next = await reader.start()
    for (let end = Infinity; next < end;) {
      const fetched = await reader.fetch(next, FETCH_WAIT_MS)
      // Where it ended when the reading began: it need not be caught up with.
      if (end === Infinity) ({ end } = fetched)
      for (const { value, offset } of fetched.messages) {
        const read = decodeDeadLetter(value)
        if (read.kind !== 'dead-letter') unreadable++
        else {
          const { delivery, run, attempt, outcome, webhook, tenant, accepted_at: acceptedAt } = read.lastAttempt
          const at = { partition, offset: Number(offset) }
          logged.push({ delivery, run, attempt, outcome, webhook, tenant, acceptedAt, ...at })
        }
      }
      ;({ next } = fetched)
    }
    return { logged, unreadable }
  } finally {
    await reader.close().catch(() => undefined)
  }
}

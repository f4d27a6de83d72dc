import { ApiError, type Caller, type ListPoisonQuery, type ListView, type PoisonView } from '@posthorn/api'
import { ProducerClosed, ProduceTimeout, RecordRefused, type SafeProducer } from '@posthorn/kafka'
import type { HistoryLists, Poison, PoisonPlace, PoisonRecord } from '@posthorn/store'
import { audited } from './auditing.js'
import { cursorOf, positionOf, type CursorShape } from './cursor.js'
import { poisonId, poisonPlace } from './poison-id.js'
import { isRedrivable, mapAgain, putBack, type Outgoing, type SourceParts } from './poison-outgoing.js'
import { rangeOf } from './time-range.js'

const CURSOR: CursorShape = {
  list: 'poison',
  fields: { at: 'time', topic: 'text', partition: 'int4', offset: 'int8' },
}
type Place = Parameters<HistoryLists['poison']>[0]['after']

const ACKNOWLEDGE_MS = 9000

export interface PoisonParts extends SourceParts {
  readonly lists: Pick<HistoryLists, 'poison'>
  readonly poison: Poison
  readonly producer: Pick<SafeProducer, 'send'>
}

/** Records that were set aside: a tenant sees its own; those that nobody could read are the platform's. */
export class PoisonCases {
  constructor(private readonly parts: PoisonParts) {}

  /** Newest first. */
  async list(caller: Caller, query: ListPoisonQuery): Promise<ListView<PoisonView>> {
    const { limit, cursor, scope, topic, reason, status, from, to } = query
    const tenant = tenantOf(caller, scope)
    if (typeof tenant === 'string') await this.parts.requireTenant(tenant)
    const { rows, after } = await this.parts.lists.poison({
      limit,
      ...rangeOf(from, to),
      topic,
      reason,
      tenant,
      redriven: status && status === 'redriven',
      after: positionOf(CURSOR, cursor) as Place,
    })
    return { data: rows.map(poisonView), next_cursor: after ? cursorOf(CURSOR, { ...after }) : null }
  }

  /** With its whole value. */
  async get(caller: Caller, id: string): Promise<PoisonView> {
    return poisonView((await this.find(caller, id)).row)
  }

  /**
   * Puts the record back for whoever gave up on it, once. Resolves when Kafka has it and the record is marked.
   * Throws ApiError poison_not_found, poison_redriven, poison_not_redrivable, kafka_unavailable.
   */
  async redrive(caller: Caller, id: string): Promise<PoisonView> {
    const { place, row } = await this.find(caller, id)
    if (row.redrivenAt) throw redriven(`It was redriven at ${row.redrivenAt.toISOString()}.`)
    const outgoing = row.source === null ? putBack(id, row) : await mapAgain(row, row.source, this.parts)
    const { poison } = this.parts
    if (!(await poison.claim(place))) throw redriven('Another request redrives it, or has just done so.')
    await this.send(outgoing).catch(async (error: unknown) => {
      await poison.release(place)
      throw error
    })
    const before = { ...row, id }
    const trail = audited<typeof before>(caller, row.tenant, 'poison.redriven', auditView)
    return poisonView(await poison.redriven(place, caller.key, after => trail(before, { ...after, id })))
  }

  private async find(caller: Caller, id: string): Promise<{ place: PoisonPlace; row: PoisonRecord }> {
    const place = poisonPlace(id)
    const row = place && (await this.parts.poison.get(place))
    if (!place || !row || !(caller.platform || row.tenant === caller.tenant))
      throw new ApiError('poison_not_found', `There is no poison "${id.slice(0, 100)}".`)
    return { place, row }
  }

  private async send({ topic, record, partition }: Outgoing): Promise<void> {
    const at = partition === undefined ? {} : { partition }
    try {
      await this.parts.producer.send(topic, record, { ...at, timeoutMs: ACKNOWLEDGE_MS })
    } catch (error) {
      if (error instanceof RecordRefused) throw new ApiError('poison_not_redrivable', `Kafka: ${error.message}.`)
      if (!(error instanceof ProduceTimeout || error instanceof ProducerClosed)) throw error
      throw new ApiError('kafka_unavailable', 'Kafka did not take the record; it may still arrive.')
    }
  }
}

function tenantOf({ platform, tenant }: Caller, scope: ListPoisonQuery['scope']): string | null | undefined {
  if (scope === 'tenant' || (scope === undefined && !platform)) return tenant
  if (!platform) throw new ApiError('role_missing', 'Poison of others is for keys of the platform.')
  return scope === 'platform' ? null : undefined
}

function redriven(detail: string): ApiError {
  return new ApiError('poison_redriven', detail)
}

function poisonView(row: PoisonRecord): PoisonView {
  const { topic, partition, offset, at, reason, detail, pointers, tenant, source, webhook, count, previous } = row
  return {
    id: poisonId({ topic, partition, offset, at: at.getTime() }),
    status: row.redrivenAt ? 'redriven' : 'open',
    tenant,
    topic,
    partition,
    offset,
    at: at.toISOString(),
    reason,
    detail,
    pointers,
    source,
    webhook,
    count,
    previous,
    redrivable: isRedrivable(row),
    redriven_at: row.redrivenAt && row.redrivenAt.toISOString(),
    redriven_by: row.redrivenBy,
    key: row.key,
    headers: row.headers,
    size: row.size,
    value_base64: row.value.toString('base64'),
  }
}

/** Without what the record holds, which may be anybody's secret, and which the audit would keep for ever. */
function auditView(row: PoisonRecord): object {
  const { key: _key, headers: _headers, value_base64: _value, detail: _detail, ...view } = poisonView(row)
  return view
}

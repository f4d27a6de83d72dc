import { randomBytes } from 'node:crypto'
import {
  ApiError,
  sourceDefinition,
  type Caller,
  type CreateSourceBody,
  type ListQuery,
  type ListView,
  type PatchSourceBody,
  type SourceDetailView,
  type SourceView,
} from '@posthorn/api'
import type { SourceChange, SourceRow, Sources } from '@posthorn/store'
import { foreignTopicFault } from '@posthorn/topics'
import { sourceId, type SourceDefinition } from '@posthorn/webhook'
import { audited } from './auditing.js'
import { pageView, placeOf, type CursorShape } from './cursor.js'
import type { Publishing } from './publishing.js'
import type { SourceLag } from './source-lag.js'

const ID = /^source_[0-9a-z]{26}$/
const CURSOR: CursorShape = { list: 'sources', fields: { createdAt: 'time', id: 'text' } }

/** What keys of the platform can do with sources. */
export class SourceCases {
  constructor(
    private readonly sources: Sources,
    private readonly publishing: Publishing,
    private readonly progress: Pick<SourceLag, 'of'>,
    /** What Posthorn's own topics start with. */
    private readonly prefix: string,
  ) {}

  async create(caller: Caller, body: CreateSourceBody): Promise<SourceView> {
    const definition = this.checked(sourceDefinition(body, undefined))
    const id = sourceId(randomBytes(16))
    const row = await this.sources.insert({ id, definition }, audited(caller, null, 'source.created', sourceView))
    await this.publishing.published('source', row)
    return sourceView(row)
  }

  async list(_caller: Caller, { limit, cursor }: ListQuery): Promise<ListView<SourceView>> {
    return pageView(CURSOR, await this.sources.list(limit, placeOf(CURSOR, cursor)), sourceView)
  }

  async get(_caller: Caller, id: string): Promise<SourceDetailView> {
    const row = found(id, ID.test(id) ? await this.sources.get(id) : undefined)
    return { ...sourceView(row), ...(await this.progress.of(id, row.definition)) }
  }

  async change(caller: Caller, id: string, body: PatchSourceBody, version?: number): Promise<SourceView> {
    const decide = (row: SourceRow) => this.changeOf(row, body)
    const trail = audited(caller, null, 'source.updated', sourceView)
    const row = found(id, ID.test(id) ? await this.sources.change(id, version, decide, trail) : undefined)
    await this.publishing.published('source', row)
    return sourceView(row)
  }

  async remove(caller: Caller, id: string, version?: number): Promise<void> {
    const trail = audited(caller, null, 'source.deleted', sourceView)
    const row = found(id, ID.test(id) ? await this.sources.remove(id, version, trail) : undefined)
    await this.publishing.published('source', row)
  }

  private changeOf(row: SourceRow, body: PatchSourceBody): SourceChange {
    const before = row.definition
    const definition = this.checked(sourceDefinition(body, before))
    const { topic, pattern, start } = definition
    const startsAnew = topic !== before.topic || pattern !== before.pattern || start !== before.start
    return {
      definition,
      ...(startsAnew ? { since: new Date() } : {}),
      ...(body.status === undefined ? {} : { status: body.status }),
    }
  }

  private checked(definition: SourceDefinition): SourceDefinition {
    const { topic } = definition
    const message = topic === undefined ? undefined : foreignTopicFault(topic, this.prefix)
    if (message === undefined) return definition
    throw new ApiError('request_invalid', `/topic ${message}.`, [{ pointer: '/topic', message }])
  }
}

function found(id: string, row: SourceRow | undefined): SourceRow {
  if (!row) throw new ApiError('source_not_found', `There is no source "${id.slice(0, 100)}".`)
  return row
}

function sourceView({ id, status, definition, createdAt, updatedAt, version }: SourceRow): SourceView {
  const { topic = null, pattern = null, value, start, event } = definition
  return {
    id,
    // A deleted one is only seen by the audit, as it was before.
    status: status === 'deleted' ? 'paused' : status,
    topic,
    pattern,
    value,
    start,
    event,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
    version,
  }
}

import { HistoryPartitions, HistoryWriter, openHistoryPool } from '@posthorn/store'
import { queryDatabase } from '@posthorn/testkit'
import { poisonId } from './poison-id.js'
import type { TestRegistry } from './test-registry.js'

/*
 * Things for generated requests to find: by ids of its own making the generator would meet 404 alone. Each operation
 * gets its own, so that none takes away what another one wants.
 */

type Json = Record<string, unknown>
/** The parameters of a path by name. */
type Named = Readonly<Record<string, string>>

interface Parameter extends Json {
  readonly name: string
  readonly in: string
  readonly schema: Json
}
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly parameters: readonly Parameter[] }>>>>
}

/** What is deleted or ended is needed anew by each request that is to find it. */
const [FEW, MANY] = [2, 8]
const ENDS = /^delete |\/cancel$|\/redrive$/
/** Any name may stand there, or be put there. */
const OPEN = /by-uid/

/** The document with ids that there are in its paths. */
export async function withData(document: Document, registry: TestRegistry): Promise<Document> {
  const history = await writeHistory(registry)
  let made = 0
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [path, item] of Object.entries(document.paths)) {
    if ('servers' in item) continue
    paths[path] = {}
    for (const [verb, operation] of Object.entries(item)) {
      const route = `${verb} ${path}`
      const found: Named[] = []
      const wanted = ENDS.test(route) ? MANY : FEW
      if (path.includes('{') && !OPEN.test(route))
        // Of several parameters each goes with the others: one thing then.
        for (let n = 0; n < (path.split('{').length > 2 ? 1 : wanted); n++)
          found.push(await thing(path.split('/')[2]!, `fuzz-${++made}`, history[n]!, registry))
      paths[path][verb] = { ...operation, parameters: parametersOf(operation.parameters, found) }
    }
  }
  return { ...document, paths: paths as Document['paths'] }
}

/** Without the tenant, which is `default` then: any other name is one that there is not. */
function parametersOf(parameters: readonly Parameter[], found: readonly Named[]): Parameter[] {
  return parameters.filter(({ name }) => name !== 'Posthorn-Tenant').map(each => filled(each, found))
}

function filled(parameter: Parameter, found: readonly Named[]): Parameter {
  const { name, schema } = parameter
  if (parameter.in !== 'path' || found.length === 0) return parameter
  const values = found.map(each => each[name]!)
  return { ...parameter, schema: { ...schema, enum: schema.type === 'integer' ? values.map(Number) : values } }
}

/** One of what the part of the path names. */
async function thing(resource: string, name: string, history: Named, registry: TestRegistry): Promise<Named> {
  const create = async (path: string, body: Json) => {
    const { status, json, text } = await registry.call('POST', `/v1/${path}`, body)
    if (status !== 201) throw new Error(`POST ${path}: ${status} ${text}`)
    return json
  }
  switch (resource) {
    case 'webhooks': {
      const { id } = await create('webhooks', { url: `https://example.com/${name}`, events: ['agent.*'], uid: name })
      const { json } = await registry.call('GET', `/v1/webhooks/${id}/secrets`)
      return { id, uid: name, secret: json.data[0]!.id as string }
    }
    case 'tenants':
      return { id: (await create('tenants', { id: name })).id }
    case 'keys':
      return { id: (await create('keys', { name, roles: ['read'] })).id }
    case 'sources':
      return { id: (await create('sources', { topic: name, event: { tenant: 'default', type: 'agent.created' } })).id }
    case 'event-types':
      await create('event-types', { type: name, schema: { type: 'object' } })
      return { type: name, number: '1' }
    case 'replays':
      return { id: (await create('replays', { event_type: 'agent.created', dry_run: true })).id }
    case 'alert-rules':
      return { id: (await create(resource, { metric: 'webhook_success_rate', threshold: 0.5, description: name })).id }
    case 'alert-channels':
      return { id: (await create(resource, { type: 'slack', name, url: 'https://chat.example/a' })).id }
    case 'alert-silences':
      return { id: (await create(resource, { ends_at: '2099-01-01T00:00:00Z', comment: name })).id }
    case 'alerts':
      return { id: history.alert! }
    case 'events':
      return { id: history.event! }
    case 'deliveries':
      return { id: history.delivery! }
    case 'poison':
      return { id: history.poison! }
    default:
      throw new Error(`there is nothing of ${resource} to find: make it here`)
  }
}

async function writeHistory(registry: TestRegistry): Promise<Named[]> {
  const pool = openHistoryPool(registry.database.url, { max: 1, name: 'test', onError: () => undefined })
  const now = Date.now()
  const at = new Date(now).toISOString()
  const numbers = Array.from({ length: MANY }, (_, n) => n)
  const entries = numbers.flatMap(n => {
    const event = {
      ...{ tenant: 'default', id: `event-${n}`, source: '/s', type: 'agent.created', time: at },
      contenttype: 'application/json',
    }
    const attempt = {
      ...{ delivery: `delivery-${n}`, run: '0', attempt: 1, webhook: 'webhook_of_history', webhook_version: 1, event },
      ...{ tenant: 'default', outcome: 'exhausted' as const, duration_ms: 1 },
      ...{ accepted_at: at, due_at: at, started_at: at, finished_at: at },
    }
    const head = {
      ...{ topic: 'events.v1', partition: 0, offset: n, timestamp: now, reason: 'undecodable' as const, detail: 'd' },
      size: 0,
    }
    return [
      { kind: 'event' as const, event, data: Buffer.from('{}'), acceptedAt: now },
      { kind: 'attempt' as const, attempt },
      { kind: 'poison' as const, head, value: Buffer.alloc(0), tenant: 'default' },
    ]
  })
  await new HistoryWriter(pool, new HistoryPartitions(pool, 14), 'test').write(
    entries.map((entry, offset) => ({ topic: 't', partition: 0, offset, timestamp: now, entry })),
    now,
  )
  const alerts = await Promise.all(numbers.map(n => writeAlert(registry.database.url, `subject-${n}`)))
  await pool.end()
  const poison = (offset: number) => poisonId({ topic: 'events.v1', partition: 0, offset, at: now })
  return numbers.map(n => ({
    event: `event-${n}`,
    delivery: `delivery-${n}`,
    poison: poison(n),
    alert: alerts[n]!,
  }))
}

async function writeAlert(url: string, subject: string): Promise<string> {
  const [row] = await queryDatabase<{ seq: string }>(
    url,
    `INSERT INTO alerts (rule, metric, severity, tenant, subject, value, threshold, window_seconds, fired_at)
     VALUES ('poison', 'poison', 'warning', 'default', '${subject}', 1, 1, 600, now()) RETURNING seq`,
  )
  return `alert_${row!.seq}`
}

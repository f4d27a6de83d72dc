import { parseArgs } from 'node:util'
import { registry, taken } from './admin/api.js'
import { connectionOf } from './admin/connection.js'
import { ApiFailure } from './admin/failure.js'
import { publish } from './admin/publish.js'
import { UsageError, type Terminal } from './command.js'
import { embeddedDir } from './local-plan.js'
import { RunFiles } from './run-file.js'

type JsonObject = Record<string, unknown>

const SOURCE = 'posthorn trigger'

/** Publishes an event of a type with the example that the catalogue has of it, changed by --set. */
export async function run(args: readonly string[], { print, env }: Terminal): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      set: { type: 'string', multiple: true },
      id: { type: 'string' },
      source: { type: 'string', default: encodeURIComponent(SOURCE) },
      'api-url': { type: 'string' },
      'publish-url': { type: 'string' },
      key: { type: 'string' },
      tenant: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const [type, ...more] = positionals
  if (type === undefined || more.length > 0) throw new UsageError('One event type is needed: posthorn trigger <type>.')
  const changes = (values.set ?? []).map(changeOf)
  const connection = connectionOf(values, env, new RunFiles(embeddedDir(env)).running())
  const data = await exampleOf(type, () => connection)
  for (const { path, value } of changes) put(data, path, value)
  const { id, source } = values
  const event = JSON.stringify({ type, source, ...(id === undefined ? {} : { id }), data })
  const answer = await publish(connection, event, 'application/json', {})
  if (values.json) print(JSON.stringify(answer))
  else print(`Published ${type}, ${'id' in answer ? answer.id : ''}: ${JSON.stringify(data)}`)
  return 0
}

/** Empty for a type that the catalogue does not know, or has no example of. */
async function exampleOf(type: string, connection: () => ReturnType<typeof connectionOf>): Promise<JsonObject> {
  const params = { path: { type } }
  try {
    const found = await taken(registry({ headers: {} }, { connection }).GET('/v1/event-types/{type}', { params }))
    return { ...(found as { example: JsonObject | null }).example }
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 404) return {}
    throw error
  }
}

/** `a.b=1`: the value as JSON, or the text itself where it is none. */
function changeOf(text: string): { path: readonly string[]; value: unknown } {
  const at = text.indexOf('=')
  const path = text.slice(0, Math.max(0, at)).split('.')
  if (at < 1 || path.includes('') || path.includes('__proto__'))
    throw new UsageError(`--set must be a path and a value such as customer.name=Ada, and not "${text}".`)
  return { path, value: parsed(text.slice(at + 1)) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

function put(target: JsonObject, [name, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    target[name!] = value
    return
  }
  const inner = Object.hasOwn(target, name!) ? target[name!] : undefined
  const next: JsonObject = typeof inner === 'object' && inner !== null ? ({ ...inner } as JsonObject) : {}
  target[name!] = next
  put(next, rest, value)
}

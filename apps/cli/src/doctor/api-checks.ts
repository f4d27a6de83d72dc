import type { Connection } from '../admin/connection.js'
import { clockFinding, fail, ok, reasonOf, warn, type Finding } from './check.js'

const TIMEOUT_MS = 5_000
/** The header Date counts whole seconds. */
const DATE_UNCERTAIN_MS = 1_000

interface Probe {
  readonly name: string
  readonly what: string
  readonly url: string
  /** How to name another. */
  readonly setting: string
  readonly init: RequestInit
}

/** Whether registry and ingest answer, take the key, and share our time. Nothing is changed or published. */
export async function apiChecks(connection: Connection | undefined): Promise<Finding[]> {
  if (connection === undefined)
    return [warn('api.key', 'There is no API key: the APIs were not asked.', 'Set POSTHORN_API_KEY, or give --key.')]
  const { api, publish, key, tenant } = connection
  const headers = { authorization: `Bearer ${key}`, ...(tenant === undefined ? {} : { 'posthorn-tenant': tenant }) }
  const registry = await probe({
    name: 'api.registry',
    what: 'The registry',
    url: `${api}/v1/webhooks?limit=1`,
    setting: '--api-url (POSTHORN_API_URL)',
    init: { headers },
  })
  const ingest = await probe({
    name: 'api.ingest',
    what: 'Ingest',
    url: `${publish}/v1/publish`,
    setting: '--publish-url (POSTHORN_PUBLISH_URL)',
    // An event without a type: the key is looked at, and nothing published.
    init: { method: 'POST', body: '{}', headers: { ...headers, 'content-type': 'application/json' } },
  })
  return [...registry, ...ingest]
}

async function probe({ name, what, url, setting, init }: Probe): Promise<Finding[]> {
  const { origin } = new URL(url)
  const started = Date.now()
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) })
    const ended = Date.now()
    const problem = await problemOf(response)
    return [
      answerFinding(name, `${what} at ${origin}`, response.status, problem),
      ...clock(name, what, response, started, ended),
    ]
  } catch (error) {
    const says = `${what} at ${origin} does not answer: ${reasonOf(error)}.`
    return [fail(name, says, `Check that it runs, and ${setting}.`)]
  }
}

interface ShortProblem {
  readonly code?: string
  readonly detail?: string
  readonly action?: string
}

async function problemOf(response: Response): Promise<ShortProblem> {
  const text = await response.text()
  if (!response.headers.get('content-type')?.includes('json')) return {}
  try {
    return JSON.parse(text) as ShortProblem
  } catch {
    return {}
  }
}

function answerFinding(name: string, who: string, status: number, { code, detail, action }: ShortProblem): Finding {
  // What the probe of ingest is answered when all is well.
  if (status === 200 || code === 'event_invalid') return ok(name, `${who} answers and takes the key.`)
  if (code === undefined)
    return fail(name, `${who} answered ${status}, and not as Posthorn does.`, 'Check the address: what is there?')
  if (code === 'role_missing') return ok(name, `${who} answers and knows the key, which may not do this here.`)
  return fail(name, `${who} answered ${code} (${status}): ${detail ?? ''}`, action ?? 'docs/errors.md says more.')
}

function clock(name: string, what: string, response: Response, started: number, ended: number): Finding[] {
  const date = Date.parse(response.headers.get('date') ?? '')
  if (Number.isNaN(date)) return []
  const uncertain = DATE_UNCERTAIN_MS + (ended - started) / 2
  // Cut to the second, hence half of one too early on average.
  const skew = date + 500 - (started + ended) / 2
  return [clockFinding(name.replace('api.', 'clock.'), what.toLowerCase(), skew, uncertain)]
}

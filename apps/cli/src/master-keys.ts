import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Settings } from '@posthorn/process'
import { SealError, Sealer } from '@posthorn/sealing'
import { Audit, Database, SealedValues, type SealedCount } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { requireDatabase } from './admin/first-key.js'
import { parseStrictly } from './admin/options.js'
import { textOf } from './admin/print.js'
import { CommandFault, UsageError, type Terminal } from './command.js'
import { embeddedDir } from './local-plan.js'
import { RunFiles } from './run-file.js'
import { keepSecrets } from './secrets.js'
import { settingsHere } from './settings-here.js'

const USAGE = 'usage: posthorn secrets status | reseal [--json]'
/** Rows between two lines of progress. */
const PAGE = 200
/** The registry has so long to publish one document more; a platform that stands still is not waited for. */
const PUBLISH_MS = 15_000
const POLL_MS = 200

interface Place {
  readonly sealer: Sealer
  readonly values: SealedValues
  readonly audit: Audit
  readonly terminal: Terminal
}

interface Failure {
  /** Id of a webhook, or the request whose answer it is. */
  readonly of: string
  readonly reason: string
}

interface MasterKey extends SealedCount {
  readonly state: 'seals' | 'set' | 'missing'
}

/** Goes to Postgres itself, with the master keys: what is in both needs no other leave. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseStrictly(args, { json: { type: 'boolean' } }, USAGE)
  const [verb, ...rest] = positionals
  const act = { status, reseal }[verb ?? '']
  if (act === undefined || rest.length > 0)
    throw new UsageError(verb === undefined ? 'A verb is missing.' : `There is no "secrets ${positionals.join(' ')}".`)
  const settings = settingsHere(withLocalKeys(terminal.env))
  const sealer = sealerOf(settings)
  if (settings.databaseUrl === undefined)
    throw new CommandFault('POSTHORN_DATABASE_URL is not set: name the database of the platform.')
  await requireDatabase(settings.databaseUrl)
  const logger = createLogger('error', 'posthorn-secrets')
  const database = new Database({ url: settings.databaseUrl, poolSize: 2, name: 'posthorn-secrets', logger })
  try {
    await database.connect()
    const place = { sealer, values: new SealedValues(database), audit: new Audit(database), terminal }
    return await act(place, values.json === true)
  } finally {
    await database.close()
  }
}

/** The stack that runs here has made keys of its own. */
function withLocalKeys(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const dir = embeddedDir(env)
  if (env.POSTHORN_SEALING_KEYS || env.POSTHORN_SEALING_KEYS_FILE || !new RunFiles(dir).running()) return env
  return { ...env, POSTHORN_SEALING_KEYS: keepSecrets(dir, env).sealingKeys }
}

function sealerOf({ sealingKeys }: Settings): Sealer {
  try {
    return new Sealer(sealingKeys)
  } catch (error) {
    if (error instanceof SealError) throw new CommandFault(`${error.message}.`)
    throw error
  }
}

/** 1 where a key is missing by which something is sealed. */
async function status({ sealer, values, terminal }: Place, json: boolean): Promise<number> {
  const keys = keysOf(sealer, await values.counts())
  const unpublished = await values.unpublished()
  const removable = unpublished > 0 ? [] : keys.filter(isUnused).map(({ id }) => id)
  const missing = keys.filter(key => key.state === 'missing')
  if (json) terminal.print(JSON.stringify({ keys, unpublished, removable }))
  else {
    const columns = ['id', 'state', 'secrets', 'headers', 'keys', 'channels', 'answers']
    terminal.print(textOf({ kind: 'list', page: { data: [...keys], next_cursor: null }, columns }))
    if (unpublished > 0) terminal.say(`${unpublished} changes wait to be published by the registry.`)
    if (removable.length > 0) terminal.say(`Nothing is sealed by ${removable.join(', ')}: may be removed.`)
  }
  for (const { id } of missing) terminal.say(`POSTHORN_SEALING_KEYS lacks "${id}", which sealed some: put it back.`)
  return missing.length > 0 ? 1 : 0
}

function keysOf(sealer: Sealer, counts: readonly SealedCount[]): readonly MasterKey[] {
  const nothing = { secrets: 0, headers: 0, keys: 0, channels: 0, answers: 0 }
  const set = sealer.keyIds.map(id => ({ ...nothing, ...counts.find(count => count.id === id), id }))
  const missing = counts.filter(({ id }) => !sealer.keyIds.includes(id))
  return [
    ...set.map(key => ({ ...key, state: key.id === sealer.sealingKey ? ('seals' as const) : ('set' as const) })),
    ...missing.map(key => ({ ...key, state: 'missing' as const })),
  ]
}

function isUnused({ state, secrets, headers, keys, channels, answers }: MasterKey): boolean {
  return state === 'set' && secrets + headers + keys + channels + answers === 0
}

/**
 * What is done is seen in the rows themselves: killed at any moment it is simply run again, and two at
 * once find each other's work done. 1 where something is left.
 */
async function reseal(place: Place, json: boolean): Promise<number> {
  const { sealer, audit, terminal } = place
  const failures: Failure[] = []
  const webhooks = await resealRows(place, failures, 'webhooks')
  const keys = await resealRows(place, failures, 'keys')
  const channels = await resealRows(place, failures, 'channels')
  const answers = await resealAnswers(place, failures)
  if (webhooks + keys + channels > 0) await audit.append(entryOf(sealer, { webhooks, keys, channels }))
  const unpublished = await whenPublished(place)
  if (json)
    terminal.print(JSON.stringify({ key: sealer.sealingKey, webhooks, keys, channels, answers, failures, unpublished }))
  else
    terminal.print(
      `Sealed anew by "${sealer.sealingKey}": ${webhooks} webhooks, ${keys} keys that sign, ${channels} channels of alerts and ${answers} answers.`,
    )
  for (const { of, reason } of failures.slice(0, 20)) terminal.say(`${of}: ${reason}.`)
  if (failures.length > 0) terminal.say(`${failures.length} were left as they are.`)
  if (unpublished > 0)
    terminal.say(`${unpublished} changes are not published yet: the registry does that; see that it runs.`)
  return failures.length + unpublished > 0 ? 1 : 0
}

async function resealRows(
  { sealer, values, terminal }: Place,
  failures: Failure[],
  of: 'webhooks' | 'keys' | 'channels',
): Promise<number> {
  const again = (sealed: string, context: string) => sealer.reseal(sealed, context)
  const { without, reseal: resealOne } = {
    webhooks: { without: values.webhooksWithout, reseal: values.resealWebhook },
    keys: { without: values.keysWithout, reseal: values.resealKey },
    channels: { without: values.channelsWithout, reseal: values.resealChannel },
  }[of]
  let done = 0
  for (let after = ''; ;) {
    const page = await without.call(values, sealer.prefix, after, PAGE)
    for (const id of page) {
      terminal.stop.throwIfAborted()
      if ((await opening(id, failures, () => resealOne.call(values, id, again))) === true) done++
    }
    if (page.length < PAGE) return done
    after = page.at(-1)!
    terminal.say(`${done} ${of} are sealed anew …`)
  }
}

async function resealAnswers({ sealer, values, terminal }: Place, failures: Failure[]): Promise<number> {
  let done = 0
  for (let after: Parameters<SealedValues['answersWithout']>[1]; ;) {
    const page = await values.answersWithout(sealer.prefix, after, PAGE)
    for (const answer of page) {
      terminal.stop.throwIfAborted()
      const of = `the answer to an Idempotency-Key of ${answer.scope}`
      await opening(of, failures, async () => {
        await values.resealAnswer(answer, (sealed, context) => sealer.reseal(sealed, context))
        done++
      })
    }
    if (page.length < PAGE) return done
    after = page.at(-1)!
  }
}

/** What does not open stays, and does not keep the others from their new key. */
async function opening<T>(of: string, failures: Failure[], act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    failures.push({ of, reason: error.message })
    return undefined
  }
}

/** Resolves with how many are left when the registry is done, or seems not to run. */
async function whenPublished({ values, terminal }: Place): Promise<number> {
  let left = await values.unpublished()
  for (let since = Date.now(); left > 0 && Date.now() - since < PUBLISH_MS;) {
    await sleep(POLL_MS, undefined, { signal: terminal.stop })
    const now = await values.unpublished()
    if (now < left) since = Date.now()
    left = now
  }
  return left
}

function entryOf({ sealingKey }: Sealer, after: { webhooks: number; keys: number; channels: number }) {
  return {
    key: 'cli',
    address: hostname(),
    requestId: randomUUID(),
    tenant: null,
    action: 'secrets.resealed',
    subject: sealingKey,
    before: null,
    after,
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { answerOf, createApiClient } from '@posthorn/api/client'
import { queryDatabase, until } from '@posthorn/testkit'
import { decodeWebhook, encodeEvent, EVENTS, WEBHOOKS } from '@posthorn/topics'
import { deliveryId, type Webhook } from '@posthorn/webhook'
import { readAttempts } from './attempts-log.js'
import { CHANGES, changeAll, typeOf, type Slot, type WebhookNow } from './changing.js'
import { untilMembers } from './group-watch.js'
import { untilAllCommitted } from './offsets.js'
import type { Site } from './site.js'
import { readLog } from './topic-log.js'
import { killBetween, untilAllPublished, type Interruption } from './unpublished.js'

export interface ChangesResult {
  readonly changes: number
  readonly interruptions: readonly Interruption[]
  /** Processes that read the table, by target. */
  readonly readers: Readonly<Record<'router' | 'deliverer', number>>
  /** Deliveries of the last events, which met the webhooks as they are now. */
  readonly deliveries: number
  readonly broken: readonly string[]
}

const VICTIMS = ['registry', 'postgres', 'registry', 'postgres', 'registry'] as const
const TENANT = 'default'
const SOURCE = '/faults'
const LOAD_EVERY_MS = 500
const WITHIN_MS = 60_000
/** Of a slot: enough that each router gets some. */
const LAST_EVENTS = 24
/** Webhooks that are made after all changes, and events for them: enough that each reader has some. */
const WITNESSES = 24
const WITNESS_TYPE = 'change.effective'
const WITNESSED_WITHIN_MS = 5000

/**
 * Changes webhooks under load, with two routers and two deliverers, while what publishes the changes
 * is killed between commit and publication; then looks whether topic, database and deliveries agree.
 */
export async function changeWebhooks(site: Site, slots: number): Promise<ChangesResult> {
  const also = await Promise.all(['router', 'deliverer'].map(target => site.stack.startAlso(target)))
  try {
    const readers = { router: await membersOf(site, 'router'), deliverer: await membersOf(site, 'deliverer') }
    const loading = new AbortController()
    const load = loadAll(site, slots, loading.signal)
    const { ended, interruptions } = await changeAndKill(site, slots).finally(() => loading.abort())
    await load
    await untilAllPublished(site, WITHIN_MS)
    const broken = await differences(site, ended)
    await untilEffective(site)
    const wave = await lastEvents(site, ended)
    return { changes: slots * CHANGES, interruptions, readers, ...wave, broken: [...broken, ...wave.broken] }
  } finally {
    await Promise.all(also.map(process => process.stop()))
  }
}

export function reportOfChanges({ changes, interruptions, readers, deliveries }: ChangesResult): string {
  const kills = interruptions.map(({ victim, changes: open, deletions }) => `${victim} (${open}, ${deletions} deleted)`)
  return [
    `changes: ${changes} of webhooks, read by ${readers.router} routers and ${readers.deliverer} deliverers`,
    `  killed with changes committed and not published: ${kills.join(', ')}`,
    `  ${deliveries} deliveries afterwards, all as the webhooks are now`,
  ].join('\n')
}

async function changeAndKill(site: Site, slots: number) {
  let made = 0
  const registry = { stack: site.stack, receiver: site.receiver.url, changed: () => void made++ }
  const kill = async () => {
    const interruptions: Interruption[] = []
    for (const victim of VICTIMS) {
      const wanted = ((interruptions.length + 1) * slots * CHANGES) / (VICTIMS.length + 1)
      await until(
        () => made >= wanted,
        WITHIN_MS,
        () => `only ${made} changes are made`,
      )
      interruptions.push(await killBetween(site, victim))
    }
    return interruptions
  }
  const [ended, interruptions] = await Promise.all([changeAll(slots, registry), kill()])
  return { ended, interruptions }
}

/** Resolves when every reader has what was published before: webhooks made after it get events by all of them. */
async function untilEffective(site: Site): Promise<void> {
  const api = createApiClient({ url: site.stack.api, key: site.stack.key })
  const body = { url: `${site.receiver.url}/changes/effective`, events: [WITNESS_TYPE] }
  const witnesses = await Promise.all(
    Array.from({ length: WITNESSES }, async () => (await answerOf(api.POST('/v1/webhooks', { body }))).id),
  )
  let round = 0
  const isEffective = async () => {
    const events = Array.from({ length: WITNESSES }, (_, n) => ({ id: `effective-${round}-${n}`, type: WITNESS_TYPE }))
    round++
    const before = site.receiver.requests.length
    await produce(site, events)
    const wanted = events.flatMap(({ id }) =>
      witnesses.map(webhook => deliveryId({ tenant: TENANT, source: SOURCE, id }, webhook)),
    )
    const haveCome = () => {
      const since = site.receiver.requests.slice(before)
      const came = new Set(since.map(({ headers }) => String(headers['webhook-id'])))
      return wanted.every(id => came.has(id))
    }
    await until(haveCome, WITNESSED_WITHIN_MS).catch(() => undefined)
    return haveCome()
  }
  await until(isEffective, WITHIN_MS, () => 'not every router and deliverer knows the last webhooks')
}

/** Where the topic, the database and what was answered do not say the same. */
async function differences(site: Site, slots: readonly Slot[]): Promise<string[]> {
  const rows = await queryDatabase<Row>(site.stack.postgres, 'select id, version, status, url from webhooks')
  const table = await lastDocuments(site)
  const kept = new Map(rows.map(row => [row.id, row]))
  return [
    ...rows.flatMap(row =>
      told(row) === told(table.get(row.id))
        ? []
        : [`topic: ${told(table.get(row.id))} is in the database ${told(row)}`],
    ),
    ...[...table.keys()].filter(id => !kept.has(id)).map(id => `${id} is on the topic alone`),
    ...slots.flatMap(({ ended, before }) => [ended, before]).flatMap(now => lost(now, kept.get(now.id))),
  ]
}

type Row = Pick<Webhook, 'id' | 'version' | 'status' | 'url'>

const told = (row: Row | undefined) => (row ? `${row.id} ${row.version} ${row.status} ${row.url}` : 'nothing')

/** What compaction keeps: the last record of each webhook, whatever its version. */
async function lastDocuments({ kafka }: Site): Promise<ReadonlyMap<string, Webhook>> {
  const table = new Map<string, Webhook>()
  for (const { value } of await readLog(kafka, WEBHOOKS)) {
    const read = decodeWebhook(value)
    if (read.kind === 'mark') continue
    if (read.kind !== 'document') throw new Error(`${WEBHOOKS.name} has a record that is ${read.kind}`)
    table.set(read.document.id, read.document)
  }
  return table
}

function lost(now: WebhookNow, row: Row | undefined): string[] {
  const isKept = row?.status === now.status && row.url === now.url && row.version >= now.changes
  return isKept ? [] : [`${told(row)} should be ${now.status} ${now.url} after ${now.changes} changes`]
}

/** Events of every slot: each is delivered where the slot's webhook says by now, and to nobody else. */
async function lastEvents(site: Site, slots: readonly Slot[]): Promise<Pick<ChangesResult, 'deliveries' | 'broken'>> {
  const events = slots.flatMap(slot => Array.from({ length: LAST_EVENTS }, (_, n) => ({ slot, id: lastId(slot.n, n) })))
  const wanted = new Map(
    events.flatMap(({ slot: { ended }, id }) => (ended.status === 'active' ? [expected(ended, id)] : [])),
  )
  const before = site.receiver.requests.length
  await produce(
    site,
    events.map(({ slot, id }) => ({ id, type: slot.type })),
  )
  const came = () =>
    new Map(site.receiver.requests.slice(before).map(({ headers, path }) => [String(headers['webhook-id']), path]))
  const missing = () => {
    const paths = came()
    return [...wanted.keys()].filter(id => !paths.has(id))
  }
  await until(
    () => missing().length === 0,
    WITHIN_MS,
    () => `${missing().length} of ${wanted.size} are not delivered`,
  )
  await untilAllCommitted(site.kafka, WITHIN_MS)
  const sent = new Set(events.map(({ id }) => id))
  const attempts = (await readAttempts(site.kafka)).map(({ attempt }) => attempt)
  const strangers = attempts.filter(({ event, delivery }) => sent.has(event.id) && !wanted.has(delivery))
  const misled = [...came()].filter(([id, path]) => wanted.has(id) && wanted.get(id) !== path)
  return {
    deliveries: wanted.size,
    broken: [
      ...misled.map(([id, path]) => `${id} went to ${path} in place of ${wanted.get(id)}`),
      ...strangers.map(({ event, webhook, outcome }) => `${event.id} was ${outcome} for ${webhook}`),
    ],
  }
}

const lastId = (slot: number, n: number) => `last-${slot}-${n}`

/** The delivery of an event, and the path where it has to arrive. */
function expected(webhook: WebhookNow, event: string): [delivery: string, path: string] {
  return [deliveryId({ tenant: TENANT, source: SOURCE, id: event }, webhook.id), new URL(webhook.url).pathname]
}

async function loadAll(site: Site, slots: number, signal: AbortSignal): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    await produce(
      site,
      Array.from({ length: slots }, (_, n) => ({ id: `load-${n}-${round}`, type: typeOf(n) })),
    )
    await sleep(LOAD_EVERY_MS)
  }
}

async function produce({ kafka }: Site, events: readonly { readonly id: string; readonly type: string }[]) {
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const time = new Date().toISOString()
  const messages = events.map(({ id, type }) => {
    const event = { tenant: TENANT, id, source: SOURCE, type, time, contenttype: 'application/json' }
    const { key, value, headers } = encodeEvent(event, Buffer.from('1'))
    return { key, value, headers: { ...headers } }
  })
  await producer.send({ topic: `posthorn.${EVENTS.name}`, acks: -1, messages })
  await producer.disconnect()
}

async function membersOf({ kafka }: Site, target: string): Promise<number> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    await untilMembers(admin, target, 2)
    const { groups } = await admin.describeGroups([`posthorn.${target}`])
    return groups[0]!.members.length
  } finally {
    await admin.disconnect()
  }
}

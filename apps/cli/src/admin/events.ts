import { UsageError } from '../command.js'
import { asSent, listed, registry, taken } from './api.js'
import { BETWEEN, flag, IDEMPOTENCY, QUERY, raw, text, VERB } from './options.js'
import { publish } from './publish.js'
import type { Answer, Call, Noun, Verb } from './verb.js'

const publishEvents: Verb = {
  does: 'publishes an event, or with --body as many as an array has',
  args: [],
  options: {
    type: text('<type>', 'such as agent.created'),
    data: raw('<json>', 'what happened, as JSON, @file or - for stdin'),
    id: text('<id>', 'the same id and source again is the same event, and delivered once'),
    source: text('<uri>', 'where it comes from'),
    subject: text('<text>', 'what it is about'),
    time: text('<time>', 'when it happened; else now'),
    partitionkey: text('<text>', 'events of one key keep their order'),
    body: raw('<json>', 'the whole event, or an array of events, as JSON, @file or - for stdin', VERB),
    cloudevents: flag('--body holds CloudEvents in their JSON format'),
    'idempotency-key': IDEMPOTENCY,
  },
  lists: false,
  examples: [
    `publish --type agent.created --data '{"agent": "a1"}'`,
    'publish --type agent.created --id my-first --data @created.json',
    'publish --body @events.json',
    'publish --body - --cloudevents',
  ],
  async run(call, { connection }): Promise<Answer> {
    const body = bodyOf(call)
    const answer = await publish(connection(), body, contentType(call, body), call.headers)
    return 'data' in answer
      ? { kind: 'list', columns: ['id', 'source'], page: { data: answer.data, next_cursor: null } }
      : { kind: 'item', value: answer }
  },
}

/** The data goes as it was given: a number may have more digits than a parser keeps. */
function bodyOf({ body, own }: Call): string {
  const { data, ...attributes } = body
  const fields = Object.keys(body)
  if (own.body !== undefined) {
    if (fields.length > 0) throw new UsageError(`--body is the whole event: leave --${fields[0]} out.`)
    return own.body as string
  }
  if (own.cloudevents === true) throw new UsageError('--cloudevents needs --body.')
  if (attributes.type === undefined) throw new UsageError('--type is needed, or --body with the whole event.')
  const head = JSON.stringify(attributes)
  return data === undefined ? head : `${head.slice(0, -1)},"data":${data as string}}`
}

function contentType({ own }: Call, body: string): string {
  if (own.cloudevents !== true) return 'application/json'
  return body.trimStart().startsWith('[') ? 'application/cloudevents-batch+json' : 'application/cloudevents+json'
}

const get: Verb = {
  does: 'shows an event, and how many of its deliveries stand where',
  args: ['id'],
  options: { source: text('<uri>', 'picks one of several sources that use the same id', QUERY) },
  lists: false,
  examples: ['get my-first', 'get my-first --source https://example.com/shop --json'],
  async run(call, reach) {
    const params = { path: { id: call.args.id! }, query: call.query }
    const got = await taken(registry(call, reach).GET('/v1/events/{id}', { params, parseAs: 'text' }))
    return { kind: 'item', value: JSON.parse(got as string) as object, text: got as string }
  },
}

const list: Verb = {
  does: 'lists events, newest first, without their data',
  args: [],
  options: {
    type: text('<type>', 'of this type', QUERY),
    source: text('<uri>', 'from this source', QUERY),
    ...BETWEEN,
  },
  lists: true,
  examples: ['list --type agent.created', 'list --from 2027-01-31T12:00:00Z --limit 1000 --json'],
  run: (call, reach) => {
    const api = registry(call, reach)
    return listed(call, ['accepted_at', 'type', 'id', 'source'], query =>
      api.GET('/v1/events', { params: { query: asSent(query) } }),
    )
  },
}

export const EVENTS: Noun = { name: 'events', does: 'what happened', verbs: { publish: publishEvents, list, get } }

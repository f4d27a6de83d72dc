import { asSent, done, item, listed, registry } from './api.js'
import {
  BODY,
  flag,
  headers,
  IDEMPOTENCY,
  IF_VERSION,
  json,
  list,
  number,
  pairs,
  QUERY,
  text,
  UNSET,
} from './options.js'
import type { Noun, OptionSpec, Verb } from './verb.js'
import { SECRET_VERBS } from './webhook-secrets.js'

const FIELDS: Readonly<Record<string, OptionSpec>> = {
  url: text('<url>', 'where the requests go'),
  events: list('<types>', 'event types and patterns such as agent.*, with commas or repeated'),
  filter: json('<json>', 'a pattern over attributes and data (docs/filters.md)'),
  secret: text('<secret>', 'a signing secret of your own'),
  method: text('<method>', 'POST, PUT or PATCH'),
  ordering: text('<what>', 'none, key or webhook: what is sent in order (docs/ordering.md)'),
  headers: headers('<name: value>', 'sent with every request, repeated'),
  metadata: pairs('<name=value>', 'labels of your own, repeated'),
  description: text('<text>', 'for people'),
  'retry-policy': json('<json>', 'such as {"attempts": 5} (docs/retries.md)'),
  'rate-limit': json('<json>', 'such as {"requests": 10, "per": "second"}'),
  'max-concurrency': number('<n>', 'requests at once'),
  authentication: json('<json>', 'such as {"type": "bearer", "token": "…"} (docs/signatures.md)'),
  signing: json('<json>', 'such as {"type": "hub"}, where it is not Standard Webhooks (docs/signatures.md)'),
  encryption: json('<json>', 'such as {"key": <public JWK>} (docs/encryption.md)'),
  'allowed-cidrs': list('<cidrs>', 'requests go to these ranges alone (docs/egress.md)'),
  'denied-cidrs': list('<cidrs>', 'no request goes to these ranges'),
  'min-tls-version': text('<version>', '1.2 or 1.3'),
  tls: json('<json>', 'such as {"ca": "…", "certificate": "…", "key": "…"} in PEM (docs/egress.md)'),
  'send-traceparent': flag('requests carry the trace they belong to (docs/traces.md)', { kind: 'body' }),
  body: BODY,
}
const UID = text('<name>', 'your own name for it')
const COLUMNS = ['id', 'status', 'health', 'uid', 'url', 'events', 'description']
const SHOWN_ONCE = 'The secret is shown this once; "posthorn webhooks secrets reveal" shows it again, to admins.'

const create: Verb = {
  does: 'registers a webhook',
  args: [],
  options: { ...FIELDS, uid: UID, 'idempotency-key': IDEMPOTENCY },
  lists: false,
  examples: [
    'create --url https://example.com/hook --events agent.created,agent.error',
    `create --url https://example.com/hook --events 'agent.*' --filter '{"data": {"plan": ["pro"]}}' --headers 'X-Team: a'`,
    'create --body @webhook.json',
  ],
  run: (call, reach) => item(registry(call, reach).POST('/v1/webhooks', { body: asSent(call.body) }), SHOWN_ONCE),
}

const put: Verb = {
  does: 'makes the webhook of this uid be what the options say, whether it is there or not',
  args: ['uid'],
  options: { ...FIELDS, 'if-version': IF_VERSION },
  lists: false,
  examples: ['put billing --url https://example.com/billing --events invoice.paid'],
  run: (call, reach) =>
    item(
      registry(call, reach).PUT('/v1/webhooks/by-uid/{uid}', {
        params: { path: { uid: call.args.uid! } },
        body: asSent(call.body),
      }),
    ),
}

const listAll: Verb = {
  does: 'lists webhooks',
  args: [],
  options: {
    status: text('<status>', 'pending, active, paused or disabled', QUERY),
    uid: text('<name>', 'the one of this uid', QUERY),
    'event-type': text('<type>', 'those that take events of this type', QUERY),
  },
  lists: true,
  examples: ['list', 'list --status disabled --limit 500 --json', 'list --event-type agent.error'],
  run: (call, reach) => {
    const api = registry(call, reach)
    return listed(call, COLUMNS, query => api.GET('/v1/webhooks', { params: { query: asSent(query) } }))
  },
}

const get: Verb = {
  does: 'shows a webhook',
  args: ['id'],
  options: {},
  lists: false,
  examples: ['get webhook_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).GET('/v1/webhooks/{id}', { params: idOf(call) })),
}

const update: Verb = {
  does: 'changes what the options name, and nothing else',
  args: ['id'],
  options: { ...FIELDS, uid: UID, unset: UNSET, 'if-version': IF_VERSION },
  lists: false,
  examples: [
    'update webhook_01jz8m0 --events invoice.paid',
    'update webhook_01jz8m0 --unset filter,description --if-version 3',
  ],
  run: (call, reach) =>
    item(registry(call, reach).PATCH('/v1/webhooks/{id}', { params: idOf(call), body: asSent(call.body) })),
}

const remove: Verb = {
  does: 'deletes a webhook, and what is under way for it',
  args: ['id'],
  options: { 'if-version': IF_VERSION },
  lists: false,
  examples: ['delete webhook_01jz8m0'],
  run: (call, reach) => {
    const { id } = call.args
    const result = registry(call, reach).DELETE('/v1/webhooks/{id}', { params: idOf(call) })
    return done(result, { id, deleted: true }, `Deleted ${id}.`)
  },
}

const enable: Verb = {
  does: 'lets a webhook get events again',
  args: ['id'],
  options: {},
  lists: false,
  examples: ['enable webhook_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).POST('/v1/webhooks/{id}/enable', { params: idOf(call) })),
}

const disable: Verb = {
  does: 'keeps a webhook that gets nothing',
  args: ['id'],
  options: {},
  lists: false,
  examples: ['disable webhook_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).POST('/v1/webhooks/{id}/disable', { params: idOf(call) })),
}

const pause: Verb = {
  does: 'keeps what a webhook would get until it is resumed',
  args: ['id'],
  options: {},
  lists: false,
  examples: ['pause webhook_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).POST('/v1/webhooks/{id}/pause', { params: idOf(call) })),
}

const resume: Verb = {
  does: 'sends a paused webhook what was kept for it, and goes on',
  args: ['id'],
  options: {},
  lists: false,
  examples: ['resume webhook_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).POST('/v1/webhooks/{id}/resume', { params: idOf(call) })),
}

const verify: Verb = {
  does: 'asks the receiver for its consent now (docs/ownership.md); "ownership" has what it said',
  args: ['id'],
  options: {},
  lists: false,
  examples: ['verify webhook_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).POST('/v1/webhooks/{id}/verify', { params: idOf(call) })),
}

const test: Verb = {
  does: 'sends a sample event to this webhook alone; "posthorn deliveries get" shows what became of it',
  args: ['id'],
  options: {
    type: text('<type>', 'of the catalogue; else one that the webhook takes'),
    'idempotency-key': IDEMPOTENCY,
  },
  lists: false,
  examples: ['test webhook_01jz8m0 --type agent.error'],
  run: (call, reach) =>
    item(registry(call, reach).POST('/v1/webhooks/{id}/test', { params: idOf(call), body: asSent(call.body) })),
}

const idOf = ({ args }: Parameters<Verb['run']>[0]) => ({ path: { id: args.id! } })

export const WEBHOOKS: Noun = {
  name: 'webhooks',
  does: 'where events go',
  verbs: {
    create,
    put,
    list: listAll,
    get,
    update,
    delete: remove,
    enable,
    disable,
    pause,
    resume,
    verify,
    test,
    ...SECRET_VERBS,
  },
}

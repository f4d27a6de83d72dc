import { asSent, item, listed, registry } from './api.js'
import { IDEMPOTENCY, number, text } from './options.js'
import type { Verb } from './verb.js'

const list: Verb = {
  does: 'lists the secrets that sign, without their values',
  args: ['webhook'],
  options: {},
  lists: false,
  examples: ['secrets list webhook_01jz8m0'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const params = { path: { id: call.args.webhook! } }
    return listed(call, ['id', 'created_at', 'expires_at'], () => api.GET('/v1/webhooks/{id}/secrets', { params }))
  },
}

const reveal: Verb = {
  does: 'shows the value of a secret; the audit tells who asked',
  args: ['webhook', 'secret'],
  options: {},
  lists: false,
  examples: ['secrets reveal webhook_01jz8m0 secret_01jz8m0'],
  run: (call, reach) => {
    const { webhook, secret } = call.args
    const params = { path: { id: webhook!, secret: secret! } }
    return item(registry(call, reach).POST('/v1/webhooks/{id}/secrets/{secret}/reveal', { params }))
  },
}

const rotate: Verb = {
  does: 'makes a new secret; those before it sign beside it for a day, unless said',
  args: ['webhook'],
  options: {
    secret: text('<secret>', 'a value of your own'),
    'overlap-seconds': number('<n>', 'how long those before it go on; 0 ends them at once'),
    'idempotency-key': IDEMPOTENCY,
  },
  lists: false,
  examples: ['secrets rotate webhook_01jz8m0 --overlap-seconds 3600'],
  run: (call, reach) => {
    const params = { path: { id: call.args.webhook! } }
    return item(registry(call, reach).POST('/v1/webhooks/{id}/secrets/rotate', { params, body: asSent(call.body) }))
  },
}

export const SECRET_VERBS: Readonly<Record<string, Verb>> = {
  'secrets list': list,
  'secrets reveal': reveal,
  'secrets rotate': rotate,
}

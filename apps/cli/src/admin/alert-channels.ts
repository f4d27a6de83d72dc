import { named, settingVerbs, updateVerb } from './alert-settings.js'
import { item, registry } from './api.js'
import { BODY, list, number, QUERY, text } from './options.js'
import type { OptionSpec, Verb } from './verb.js'

const FIELDS: Readonly<Record<string, OptionSpec>> = {
  name: text('<text>', 'what it is called'),
  to: list('<addresses>', 'of email: who is written to'),
  url: text('<url>', 'of slack: the incoming webhook'),
  rules: list('<ids>', 'alerts of these rules or metrics alone'),
  severities: list('<severities>', 'of these severities alone'),
  tenants: list('<ids>', "of the platform's: about these tenants alone"),
  webhook: text('<id>', 'about this webhook alone'),
  'group-seconds': number('<n>', 'so long it is waited for more to be told at once'),
  'repeat-seconds': number('<n>', 'what still fires is told again after so long; 0: never'),
  body: BODY,
}

const test: Verb = {
  does: 'sends a test, and says what came of it',
  args: ['id'],
  options: { scope: text('<scope>', 'tenant (unless set) or platform', QUERY) },
  lists: false,
  examples: ['channels test channel_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).POST('/v1/alert-channels/{id}/test', { params: named(call) })),
}

export const CHANNEL_VERBS = settingVerbs({
  noun: 'channels',
  path: '/v1/alert-channels',
  columns: ['id', 'type', 'name', 'host', 'to', 'severities', 'enabled'],
  made: { type: text('<type>', 'email or slack'), ...FIELDS },
  list: { does: 'lists channels', example: 'list --scope platform' },
  get: { does: 'shows a channel', example: 'get channel_01jz8m0' },
  create: {
    does: 'has alerts told to a channel',
    example: 'create --type email --name team --to team@example.com',
  },
  more: {
    update: updateVerb('/v1/alert-channels/{id}', FIELDS, 'channels update channel_01jz8m0 --severities critical'),
    test,
  },
  remove: { does: 'removes a channel', example: 'delete channel_01jz8m0' },
})

import { settingVerbs } from './alert-settings.js'
import { BODY, list, text } from './options.js'
import type { OptionSpec } from './verb.js'

const FIELDS: Readonly<Record<string, OptionSpec>> = {
  rules: list('<ids>', 'alerts of these rules or metrics alone'),
  severities: list('<severities>', 'of these severities alone'),
  tenants: list('<ids>', "of the platform's: about these tenants alone"),
  webhook: text('<id>', 'about this webhook alone'),
  'starts-at': text('<time>', 'unless set, now'),
  'ends-at': text('<time>', 'such as 2027-01-31T12:00:00Z'),
  comment: text('<text>', 'why'),
  body: BODY,
}

export const SILENCE_VERBS = settingVerbs({
  noun: 'silences',
  path: '/v1/alert-silences',
  columns: ['id', 'ends_at', 'rules', 'severities', 'webhook', 'comment'],
  made: FIELDS,
  list: { does: 'lists silences', example: 'list --scope platform' },
  get: { does: 'shows a silence', example: 'get silence_01jz8m0' },
  create: {
    does: 'silences alerts for a time',
    example: 'create --rules certificate_expiring --ends-at 2027-01-31T12:00:00Z',
  },
  remove: { does: 'ends a silence', example: 'delete silence_01jz8m0' },
})

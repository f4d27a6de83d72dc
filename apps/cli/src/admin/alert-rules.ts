import { settingVerbs, updateVerb } from './alert-settings.js'
import { BODY, decimal, number, text } from './options.js'
import type { OptionSpec } from './verb.js'

const FIELDS: Readonly<Record<string, OptionSpec>> = {
  threshold: decimal('<n>', 'an alert fires beyond it'),
  clear: decimal('<n>', 'and ends back at this value'),
  'window-seconds': number('<n>', 'what is counted is counted within so long'),
  'for-seconds': number('<n>', 'so long beyond the threshold until it fires'),
  severity: text('<severity>', 'warning or critical'),
  description: text('<text>', 'what it is for'),
  body: BODY,
}

const COLUMNS = [
  'id',
  'built_in',
  'metric',
  'threshold',
  'clear',
  'window_seconds',
  'for_seconds',
  'severity',
  'enabled',
]

export const RULE_VERBS = settingVerbs({
  noun: 'rules',
  path: '/v1/alert-rules',
  columns: COLUMNS,
  made: {
    metric: text('<metric>', 'what is watched (docs/alerts.md)'),
    webhook: text('<id>', 'only about this one'),
    ...FIELDS,
  },
  list: { does: 'lists rules', example: 'list --scope platform' },
  get: { does: 'shows a rule', example: 'get dead_letters' },
  create: {
    does: 'makes a rule',
    example: 'create --metric webhook_success_rate --threshold 0.5 --severity critical',
  },
  more: {
    update: updateVerb('/v1/alert-rules/{id}', FIELDS, 'rules update dead_letters --scope platform --threshold 100'),
  },
  remove: { does: 'removes a rule, or undoes what was changed of a built-in one', example: 'delete dead_letters' },
})

import { Controller } from '@nestjs/common'
import { AlertRuleView, CreateAlertRuleBody, PatchAlertRuleBody } from '@posthorn/api'
import { AlertRuleCases } from './alert-rules.js'
import { alertSettingsEdge } from './alert-settings.edge.js'

const ROUTES = {
  path: 'v1/alert-rules',
  view: AlertRuleView,
  created: CreateAlertRuleBody,
  changed: PatchAlertRuleBody,
  does: {
    create: 'Make a rule for alerts',
    list: 'List rules for alerts',
    get: 'Read a rule for alerts',
    change: 'Change a rule for alerts',
    remove: 'Remove a rule, or undo what was changed of a built-in one',
  },
}

@Controller(ROUTES.path)
export class AlertRulesEdge extends alertSettingsEdge(ROUTES) {
  constructor(cases: AlertRuleCases) {
    super(cases)
  }
}

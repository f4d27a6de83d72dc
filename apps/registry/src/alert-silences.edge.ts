import { Controller } from '@nestjs/common'
import { AlertSilenceView, CreateAlertSilenceBody } from '@posthorn/api'
import { AlertSilenceCases } from './alert-silences.js'
import { alertSettingsEdge } from './alert-settings.edge.js'

const ROUTES = {
  path: 'v1/alert-silences',
  view: AlertSilenceView,
  created: CreateAlertSilenceBody,
  does: {
    create: 'Silence alerts for a time',
    list: 'List silences',
    get: 'Read a silence',
    remove: 'End a silence',
  },
}

@Controller(ROUTES.path)
export class AlertSilencesEdge extends alertSettingsEdge(ROUTES) {
  constructor(cases: AlertSilenceCases) {
    super(cases)
  }
}

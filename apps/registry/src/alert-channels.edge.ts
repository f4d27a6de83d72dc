import { Controller, HttpCode, Param, Post } from '@nestjs/common'
import {
  AlertChannelTestView,
  AlertChannelView,
  AlertScopeQuery,
  Answers,
  CalledBy,
  CreateAlertChannelBody,
  Does,
  PatchAlertChannelBody,
  QueryOf,
  type Caller,
} from '@posthorn/api'
import { AlertChannelCases } from './alert-channels.js'
import { alertSettingsEdge } from './alert-settings.edge.js'
import { CasesHolder } from './alert-settings.js'

const ROUTES = {
  path: 'v1/alert-channels',
  view: AlertChannelView,
  created: CreateAlertChannelBody,
  changed: PatchAlertChannelBody,
  does: {
    create: 'Have alerts told to a channel',
    list: 'List channels for alerts',
    get: 'Read a channel for alerts',
    change: 'Change a channel for alerts',
    remove: 'Remove a channel for alerts',
  },
}

class Tests extends CasesHolder {
  declare readonly cases: AlertChannelCases

  @Post(':id/test')
  @Does('Send a test to a channel for alerts')
  @HttpCode(200)
  @Answers(200, AlertChannelTestView)
  test(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(AlertScopeQuery) { scope }: AlertScopeQuery,
  ): Promise<AlertChannelTestView> {
    return this.cases.test(caller, id, scope)
  }
}

@Controller(ROUTES.path)
export class AlertChannelsEdge extends alertSettingsEdge(ROUTES, Tests) {
  constructor(cases: AlertChannelCases) {
    super(cases)
  }
}

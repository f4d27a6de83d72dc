import { Controller, Get } from '@nestjs/common'
import {
  AlertView,
  AnswersList,
  CalledBy,
  Does,
  ListAlertsQuery,
  QueryOf,
  type Caller,
  type ListView,
} from '@posthorn/api'
import { AlertCases } from './alerts.js'

@Controller('v1/alerts')
export class AlertsEdge {
  constructor(private readonly alerts: AlertCases) {}

  @Get()
  @Does('List alerts')
  @AnswersList(AlertView)
  list(@CalledBy() caller: Caller, @QueryOf(ListAlertsQuery) query: ListAlertsQuery): Promise<ListView<AlertView>> {
    return this.alerts.list(caller, query)
  }
}

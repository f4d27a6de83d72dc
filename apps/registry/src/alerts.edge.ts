import { Controller, Get, Param } from '@nestjs/common'
import {
  AlertDetailView,
  AlertScopesQuery,
  AlertView,
  Answers,
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

  @Get(':id')
  @Does('Read an alert, and who was told of it')
  @Answers(200, AlertDetailView)
  get(
    @CalledBy() caller: Caller,
    @Param('id') id: string,
    @QueryOf(AlertScopesQuery) query: AlertScopesQuery,
  ): Promise<AlertDetailView> {
    return this.alerts.get(caller, id, query)
  }
}

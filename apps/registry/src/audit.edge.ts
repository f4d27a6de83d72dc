import { Controller, Get } from '@nestjs/common'
import {
  AnswersList,
  AuditView,
  CalledBy,
  Does,
  ListAuditQuery,
  Needs,
  QueryOf,
  type Caller,
  type ListView,
} from '@posthorn/api'
import { AuditCases } from './audit.js'

@Controller('v1/audit')
export class AuditEdge {
  constructor(private readonly audit: AuditCases) {}

  @Get()
  @Does('List changes')
  @Needs('admin')
  @AnswersList(AuditView)
  list(@CalledBy() caller: Caller, @QueryOf(ListAuditQuery) query: ListAuditQuery): Promise<ListView<AuditView>> {
    return this.audit.list(caller, query)
  }
}

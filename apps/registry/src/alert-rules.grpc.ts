import { CreateAlertRuleBody, GrpcEdge, PatchAlertRuleBody } from '@posthorn/api'
import { AlertRuleCases } from './alert-rules.js'
import { alertSettingsGrpc } from './alert-settings.grpc.js'
import { GrpcManners } from './grpc-manners.js'

const METHODS = {
  noun: 'AlertRule',
  created: CreateAlertRuleBody,
  changed: { body: PatchAlertRuleBody, field: 'rule' },
}

@GrpcEdge(GrpcManners)
export class AlertRulesGrpc extends alertSettingsGrpc(METHODS) {
  constructor(cases: AlertRuleCases) {
    super(cases)
  }
}

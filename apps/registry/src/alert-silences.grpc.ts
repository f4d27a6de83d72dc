import { CreateAlertSilenceBody, GrpcEdge } from '@posthorn/api'
import { AlertSilenceCases } from './alert-silences.js'
import { alertSettingsGrpc } from './alert-settings.grpc.js'
import { GrpcManners } from './grpc-manners.js'

const METHODS = {
  noun: 'AlertSilence',
  created: CreateAlertSilenceBody,
}

@GrpcEdge(GrpcManners)
export class AlertSilencesGrpc extends alertSettingsGrpc(METHODS) {
  constructor(cases: AlertSilenceCases) {
    super(cases)
  }
}

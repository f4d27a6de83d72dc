import { join } from 'node:path'
import { ROOT } from '../repository.js'

export const DASHBOARD_DIR = join(ROOT, 'deploy', 'grafana', 'dashboards')
export const RULE_FILE = join(ROOT, 'deploy', 'prometheus', 'posthorn-alerts.yaml')
export const RUNBOOK_DIR = join(ROOT, 'docs', 'operations', 'runbooks')

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { RULE_GROUPS, type RuleGroup } from './alerts.js'
import type { Board } from './board.js'
import { deliveries, overview, webhookHealth } from './boards-of-delivery.js'
import { consumers, retries } from './boards-of-kafka.js'
import { registryApi, runtime, traces } from './boards-of-processes.js'
import { DASHBOARD_DIR, RULE_FILE } from './paths.js'

const BOARDS: readonly (() => Board)[] = [
  overview,
  deliveries,
  webhookHealth,
  retries,
  consumers,
  traces,
  registryApi,
  runtime,
]
const MADE = '# Made by `npm run dashboards`: change apps/cli/src/grafana.\n'

/** What is committed and shipped: path to text. */
export function observabilityFiles(): Map<string, string> {
  const files = new Map([[RULE_FILE, MADE + stringify({ groups: RULE_GROUPS.map(withRunbooks) }, { lineWidth: 0 })]])
  for (const board of BOARDS) {
    const dashboard = board().build()
    const name = dashboard.uid!.replace(/^posthorn-/, '')
    files.set(join(DASHBOARD_DIR, `${name}.json`), `${JSON.stringify(dashboard, null, 2)}\n`)
  }
  return files
}

/** Dashboards that are there and that no board makes any more. */
export function leftoverDashboards(files: ReadonlyMap<string, string>): string[] {
  return readdirSync(DASHBOARD_DIR)
    .map(name => join(DASHBOARD_DIR, name))
    .filter(file => !files.has(file))
}

/** The page of an alert, as a path in the repository; the chart makes an address of it. */
export function runbookOf(alert: string): string {
  return `${alert}.md`
}

function withRunbooks({ name, rules }: RuleGroup): RuleGroup {
  return {
    name,
    rules: rules.map(rule =>
      'alert' in rule
        ? {
            ...rule,
            annotations: { ...rule.annotations, runbook: `docs/operations/runbooks/${runbookOf(rule.alert)}` },
          }
        : rule,
    ),
  }
}

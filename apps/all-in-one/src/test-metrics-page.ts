import { readFileSync } from 'node:fs'
import type { ScrapedMetric } from '@posthorn/testkit'

const PAGE = new URL('../../../docs/metrics.md', import.meta.url)

/** A row of docs/metrics.md. */
export interface DocumentedMetric {
  readonly name: string
  readonly kind: string
  readonly unit: string
  readonly labels: readonly string[]
  /** `always`, `with use` (the spec causes it), or the condition under which it is in a scrape. */
  readonly appears: string
  readonly meaning: string
}

/** The service_name is on everything. */
const EVERYWHERE = new Set(['service_name'])

export function documentedMetrics(): readonly DocumentedMetric[] {
  const rows = rowsOf(6).filter(([name]) => /^`(posthorn_\w+|target_info)`$/.test(name!))
  return rows.map(([name, kind, unit, labels, appears, meaning]) => ({
    ...{ name: bare(name!), kind: kind!, unit: unit!, appears: appears!, meaning: meaning! },
    labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!),
  }))
}

/** The labels that have a row with their values and their bound. */
export function documentedLabels(): readonly string[] {
  return rowsOf(3).flatMap(([label]) => [...label!.matchAll(/^`(\w+)`/g)].map(([, name]) => name!))
}

/** As it would stand on the page. */
export function rowOf(metric: ScrapedMetric): string {
  const { name, kind, unit, labels, appears, meaning } = pageOf(metric, 'always')
  return `| \`${name}\` | ${kind} | ${unit} | ${labels.map(label => `\`${label}\``).join(', ')} | ${appears} | ${meaning} |`
}

export function pageOf({ name, kind, help, labels }: ScrapedMetric, appears: string): DocumentedMetric {
  const unit = /_(seconds|bytes)(_total)?$/.exec(name)?.[1] ?? 'number'
  const own = [...labels].filter(label => !EVERYWHERE.has(label)).sort()
  return { name, kind, unit, labels: own, appears, meaning: help }
}

function rowsOf(columns: number): string[][] {
  return readFileSync(PAGE, 'utf8')
    .split('\n')
    .filter(line => line.startsWith('|'))
    .map(line => line.split('|').slice(1, -1))
    .filter(cells => cells.length === columns)
    .map(cells => cells.map(cell => cell.trim()))
}

const bare = (cell: string) => cell.replaceAll('`', '')

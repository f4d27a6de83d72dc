import { existsSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parser as logql } from '@grafana/lezer-logql'
import { parser as traceql } from '@grafana/lezer-traceql'
import { groupingOf, selectorsOf } from '@posthorn/testkit'
import { ROOT } from '../repository.js'
import { RULE_GROUPS } from './alerts.js'
import { leftoverDashboards, observabilityFiles } from './files.js'
import { TRACE_QUERIES } from './trace-queries.js'

interface Target {
  readonly refId: string
  readonly expr?: string
  readonly query?: string
  readonly queryType?: string
  readonly datasource: { readonly type: string; readonly uid: string }
}
interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly w: number; readonly h: number }
  readonly targets?: readonly Target[]
}
interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly schemaVersion: number
  readonly tags: readonly string[]
  readonly panels: readonly Panel[]
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[]
  }
}

const files = observabilityFiles()
const dashboards = [...files]
  .filter(([file]) => file.endsWith('.json'))
  .map(([file, text]) => [basename(file), JSON.parse(text) as Dashboard] as const)
const panelsOf = ({ panels }: Dashboard) => panels.filter(({ type }) => type !== 'row')
const targetsOf = (dashboard: Dashboard) => panelsOf(dashboard).flatMap(({ targets = [] }) => targets)
const of = (type: string) =>
  dashboards.flatMap(([, dashboard]) => targetsOf(dashboard).filter(({ datasource }) => datasource.type === type))

/** As docs/metrics.md has them, which is held against a scrape of a running platform. */
const labelsOf = new Map(
  [
    ...readFileSync(join(ROOT, 'docs', 'metrics.md'), 'utf8').matchAll(
      /^\| `(posthorn_\w+)` +\| (\w+) +\|[^|]*\|([^|]*)\|/gm,
    ),
  ].flatMap(([, name, kind, labels]) => {
    const own = [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!)
    const series = kind === 'histogram' ? ['_bucket', '_sum', '_count'].map(end => name + end) : [name!]
    return series.map(each => [each, own] as const)
  }),
)
const recorded = new Map(
  RULE_GROUPS.flatMap(({ rules }) => rules).flatMap(rule =>
    'record' in rule ? [[rule.record, ['slo']] as const] : [],
  ),
)
/** Prometheus, the operator and the exporter add them. */
const EVERYWHERE = ['service_name', 'namespace', 'pod', 'job', 'instance', 'le']

function unknownIn(query: string): string[] {
  const selectors = selectorsOf(query)
  const known = (metric: string) => labelsOf.get(metric) ?? recorded.get(metric)
  const allowed = [...EVERYWHERE, ...selectors.flatMap(({ metric }) => known(metric) ?? [])]
  return [
    ...selectors.flatMap(({ metric, labels }) => {
      const own = known(metric)
      if (own === undefined) return [`${metric} is not on docs/metrics.md`]
      return labels.filter(label => ![...EVERYWHERE, ...own].includes(label)).map(label => `${metric} has no ${label}`)
    }),
    ...groupingOf(query)
      .filter(label => !allowed.includes(label))
      .map(label => `${label} is a label of no metric in ${query}`),
  ]
}

describe('S13 dashboards', () => {
  it('S13 are committed as their source makes them: npm run dashboards', () => {
    const old = [...files].filter(([file, text]) => !existsSync(file) || readFileSync(file, 'utf8') !== text)
    expect(old.map(([file]) => relative(ROOT, file))).toEqual([])
    expect(leftoverDashboards(files)).toEqual([])
  })

  it('S13 are the eight that an operator looks for, each of the classic schema that Grafana 12 and 13 read', () => {
    expect(dashboards.map(([name]) => name.replace('.json', ''))).toEqual([
      ...['overview', 'deliveries', 'webhook-health', 'retries', 'consumers', 'traces', 'registry-api', 'runtime'],
    ])
    for (const [, { schemaVersion, uid, tags }] of dashboards) {
      expect([schemaVersion, tags]).toEqual([42, ['posthorn']])
      expect(uid).toMatch(/^posthorn-[a-z-]+$/)
    }
  })

  it('S13 ask only for metrics and labels that are scraped; each query parses', () => {
    const queries = of('prometheus').map(({ expr }) => expr!)
    expect(queries.length).toBeGreaterThan(60)
    expect(queries.flatMap(unknownIn)).toEqual([])
    expect(RULE_GROUPS.flatMap(({ rules }) => rules).flatMap(({ expr }) => unknownIn(expr))).toEqual([])
  })

  it('S13 would not pass with a query that is wrong', () => {
    expect(unknownIn('rate(posthorn_deliverer_attempts_total[5m])')).toEqual([])
    expect(unknownIn('rate(posthorn_deliverer_atempts_total[5m])')).toHaveLength(1)
    expect(unknownIn('rate(posthorn_deliverer_attempts_total{outcom="retry"}[5m])')).toHaveLength(1)
    expect(unknownIn('sum by (outcom) (rate(posthorn_deliverer_attempts_total[5m]))')).toHaveLength(1)
    expect(() => unknownIn('sum(rate(posthorn_deliverer_attempts_total[5m])')).toThrow('does not parse')
    expect(faultsOf(traceql, '{ status = }')).not.toEqual([])
    expect(faultsOf(logql, '{service_name=} | json')).not.toEqual([])
  })

  it('S13 find traces and logs by queries that parse; the ten of the page are those of the source', () => {
    const found = of('tempo').flatMap(({ query, queryType }) => (queryType === 'traceql' ? [query!] : []))
    expect(found).toEqual(TRACE_QUERIES.filter(({ shown }) => shown).map(({ query }) => query))
    expect(TRACE_QUERIES).toHaveLength(10)
    for (const { query } of TRACE_QUERIES) expect([query, faultsOf(traceql, query)]).toEqual([query, []])
    for (const { expr } of of('loki')) expect([expr, faultsOf(logql, expr!)]).toEqual([expr, []])
    const page = readFileSync(join(ROOT, 'docs', 'observability.md'), 'utf8')
    for (const { title, query } of TRACE_QUERIES) {
      expect(page).toContain(title)
      expect(page).toContain(query)
    }
  })

  it('S13 name no data source but by a variable of its type, so that they work in any Grafana', () => {
    for (const [name, dashboard] of dashboards) {
      const { list } = dashboard.templating
      const variables = new Map(
        list.filter(({ type }) => type === 'datasource').map(one => [`\${${one.name}}`, one.query]),
      )
      for (const { datasource } of targetsOf(dashboard))
        expect([name, datasource.uid, variables.get(datasource.uid)]).toEqual([name, datasource.uid, datasource.type])
    }
  })

  it('S13 have panels with a title and what a person does with them, side by side within 24 columns', () => {
    for (const [name, dashboard] of dashboards) {
      const panels = panelsOf(dashboard)
      expect(panels.map(({ title }) => title).filter((title, i, all) => all.indexOf(title) !== i)).toEqual([])
      for (const { title, description, gridPos, targets = [] } of panels) {
        expect([name, title, description?.length]).toEqual([name, title, expect.any(Number)])
        expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
        expect(targets.length).toBeGreaterThan(0)
      }
    }
  })
})

/** Where the grammar found an error. */
function faultsOf(grammar: typeof logql, query: string): number[] {
  const faults: number[] = []
  grammar.parse(query).iterate({ enter: ({ type, from }) => void (type.isError && faults.push(from)) })
  return faults
}

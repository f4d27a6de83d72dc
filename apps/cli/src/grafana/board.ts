import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
  type Dashboard,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder as LokiQuery } from '@grafana/grafana-foundation-sdk/loki'
import { PanelBuilder as LogsPanel } from '@grafana/grafana-foundation-sdk/logs'
import { PanelBuilder as NodeGraphPanel } from '@grafana/grafana-foundation-sdk/nodegraph'
import { DataqueryBuilder as PrometheusQuery } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table'
import { DataqueryBuilder as TempoQuery, SearchTableType } from '@grafana/grafana-foundation-sdk/tempo'
import { PanelBuilder as TimeseriesPanel } from '@grafana/grafana-foundation-sdk/timeseries'

/** A query and what its series are called. */
export type Series = readonly [expr: string, legend: string]

export interface PanelText {
  readonly title: string
  /** What a person does with it. */
  readonly about: string
}

export interface GraphOptions extends PanelText {
  /** Of Grafana: s, bytes, percentunit, reqps, short. */
  readonly unit: string
  readonly series: readonly Series[]
  /** Columns of 24; a third unless given. */
  readonly width?: number
  /** Turns the panel red from there on. */
  readonly bad?: number
}

export interface StatOptions extends GraphOptions {
  /** Whether less is worse. */
  readonly lessIsBad?: boolean
}

/** The variables by which a dashboard is used with any Grafana: no name of a data source is in it. */
const DATASOURCES = { prometheus: 'datasource', tempo: 'tempo', loki: 'loki' } as const
export type DatasourceType = keyof typeof DATASOURCES

const HEIGHT = 8
const WIDTH = 8
const STAT_HEIGHT = 4
const STAT_WIDTH = 4

const source = (type: DatasourceType) => ({ type, uid: `\${${DATASOURCES[type]}}` })

/** One dashboard: rows of panels, from left to right. */
export class Board {
  private readonly builder: DashboardBuilder

  constructor(name: string, title: string, about: string, uses: readonly DatasourceType[] = ['prometheus']) {
    this.builder = new DashboardBuilder(`Posthorn: ${title}`)
      .uid(`posthorn-${name}`)
      .description(about)
      .tags(['posthorn'])
      .time({ from: 'now-6h', to: 'now' })
      .refresh('30s')
      .tooltip(DashboardCursorSync.Crosshair)
      .link(
        new DashboardLinkBuilder('Posthorn')
          .type(DashboardLinkType.Dashboards)
          .tags(['posthorn'])
          .asDropdown(true)
          .includeVars(true)
          .keepTime(true),
      )
    for (const type of uses) this.builder.withVariable(new DatasourceVariableBuilder(DATASOURCES[type]).type(type))
    if (uses.includes('prometheus')) this.builder.withVariable(namespaces())
  }

  row(title: string): this {
    this.builder.withRow(new RowBuilder(title))
    return this
  }

  graph({ title, about, unit, series, width = WIDTH, bad }: GraphOptions): this {
    const panel = new TimeseriesPanel().unit(unit).min(0).fillOpacity(10).lineWidth(1)
    if (bad !== undefined) panel.thresholds(thresholds(bad, false))
    return this.add(panel.title(title).description(about).height(HEIGHT).span(width), queries(series))
  }

  stat({ title, about, unit, series, width = STAT_WIDTH, bad, lessIsBad = false }: StatOptions): this {
    const panel = new StatPanel().unit(unit).noValue('–')
    if (bad !== undefined) panel.thresholds(thresholds(bad, lessIsBad))
    return this.add(panel.title(title).description(about).height(STAT_HEIGHT).span(width), queries(series))
  }

  /** Traces that a TraceQL query finds. */
  traces({ title, about }: PanelText, query: string, width = WIDTH * 1.5): this {
    const target = new TempoQuery()
      .queryType('traceql')
      .query(query)
      .limit(20)
      .tableType(SearchTableType.Traces)
      .datasource(source('tempo'))
    const panel = new TablePanel().datasource(source('tempo')).title(title).description(about)
    return this.add(panel.height(HEIGHT).span(width), [target])
  }

  /** What Tempo's metrics generator has seen of who calls whom. */
  serviceGraph({ title, about }: PanelText): this {
    const target = new TempoQuery().queryType('serviceMap').datasource(source('tempo'))
    const panel = new NodeGraphPanel().datasource(source('tempo')).title(title).description(about)
    return this.add(panel.height(12).span(24), [target])
  }

  logs({ title, about }: PanelText, query: string): this {
    const panel = new LogsPanel().datasource(source('loki')).title(title).description(about)
    return this.add(panel.height(10).span(24), [new LokiQuery().expr(query).datasource(source('loki'))])
  }

  build(): Dashboard {
    return this.builder.build()
  }

  private add(
    panel: Builder<Panel> & { withTarget(target: Builder<Dataquery>): unknown },
    targets: Builder<Dataquery>[],
  ) {
    for (const target of targets) panel.withTarget(target)
    this.builder.withPanel(panel)
    return this
  }
}

function namespaces(): QueryVariableBuilder {
  // Outside of Kubernetes there is no such label, which .* matches as well.
  return new QueryVariableBuilder('namespace')
    .query({ qryType: 1, query: 'label_values(posthorn_process_start_time_seconds,namespace)', refId: 'namespace' })
    .definition('label_values(posthorn_process_start_time_seconds,namespace)')
    .datasource(source('prometheus'))
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
}

function queries(series: readonly Series[]): PrometheusQuery[] {
  return series.map(([expr, legend], i) =>
    new PrometheusQuery()
      .expr(ofNamespace(expr))
      .legendFormat(legend)
      .range()
      .refId(String.fromCharCode('A'.charCodeAt(0) + i))
      .datasource(source('prometheus')),
  )
}

/** Puts the namespace that was chosen into each selector of ours: all our names start alike. */
export function ofNamespace(expr: string): string {
  return expr
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\b(posthorn_\w+)(\{)?/g, (_all, name: string, brace?: string) =>
      brace === undefined ? `${name}{namespace=~"$namespace"}` : `${name}{namespace=~"$namespace", `,
    )
}

function thresholds(bad: number, lessIsBad: boolean): ThresholdsConfigBuilder {
  const [first, then] = lessIsBad ? ['red', 'green'] : ['green', 'red']
  const steps = [
    { value: null, color: first },
    { value: bad, color: then },
  ]
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps)
}

/** A metric as Prometheus sees it: a histogram is one, with three series. */
export interface ScrapedMetric {
  readonly name: string
  readonly kind: string
  readonly help: string
  /** Without those that belong to the format: le. */
  readonly labels: ReadonlySet<string>
  /** As a query names them. */
  readonly series: ReadonlySet<string>
}

const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g
const OF_HISTOGRAM = /_(bucket|sum|count)$/

/** Reads the Prometheus text format; throws on a line that is none. */
export function parseScrape(text: string): ReadonlyMap<string, ScrapedMetric> {
  const metrics = new Map<
    string,
    { name: string; kind: string; help: string; labels: Set<string>; series: Set<string> }
  >()
  const metric = (name: string) => {
    const known = metrics.get(name) ?? { name, kind: '', help: '', labels: new Set(), series: new Set() }
    metrics.set(name, known)
    return known
  }
  for (const line of text.split('\n').filter(each => each !== '')) {
    const [, what, about, rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? []
    if (what === 'HELP') metric(about!).help = rest
    else if (what === 'TYPE') metric(about!).kind = rest
    else if (!line.startsWith('#')) {
      const [, series, labels = ''] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? \S+(?: \d+)?$/.exec(line) ?? []
      if (series === undefined) throw new Error(`no line of the Prometheus text format: ${line}`)
      const family = metrics.has(series) ? series : series.replace(OF_HISTOGRAM, '')
      metric(family).series.add(series)
      for (const [, name] of labels.matchAll(LABEL)) if (name !== 'le') metric(family).labels.add(name!)
    }
  }
  return metrics
}

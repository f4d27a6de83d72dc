/** The address of a page that shows a trace; `at` is a time at which it was under way. */
export type TraceLink = (traceId: string, at: Date) => string

/** A trace store looks only at the time that it is asked for: a trace lasts seconds, clocks differ by less. */
const AROUND_MS = 15 * 60_000

/** Grafana's Explore on one trace. `source` is the uid of the data source that has the traces. */
export function grafanaLink(address: string, source: string): TraceLink {
  const base = address.replace(/\/+$/, '')
  return (traceId, at) => {
    const query = { refId: 'A', datasource: { type: 'tempo', uid: source }, queryType: 'traceql', query: traceId }
    const range = { from: String(at.getTime() - AROUND_MS), to: String(at.getTime() + AROUND_MS) }
    const panes = JSON.stringify({ trace: { datasource: source, queries: [query], range } })
    return `${base}/explore?schemaVersion=1&panes=${encodeURIComponent(panes)}`
  }
}

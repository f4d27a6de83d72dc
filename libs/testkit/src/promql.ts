import { parser } from '@prometheus-io/lezer-promql'

/** What a query asks for. */
export interface Selector {
  readonly metric: string
  readonly labels: readonly string[]
}

/** Grafana puts these in before Prometheus sees the query. */
const VARIABLES: readonly (readonly [RegExp, string])[] = [
  [/\$__(rate_interval|interval|range)/g, '5m'],
  [/\$\{?\w+(:\w+)?\}?/g, 'x'],
]

/** The selectors of a PromQL query, with the labels that they match by. Throws where it does not parse. */
export function selectorsOf(query: string): Selector[] {
  const text = VARIABLES.reduce((done, [pattern, value]) => done.replace(pattern, value), query)
  const selectors: Selector[] = []
  parser.parse(text).iterate({
    enter: ({ node, type, from, to }) => {
      if (type.isError) throw new Error(`PromQL does not parse at ${from} (${text.slice(from, to + 20)}): ${text}`)
      if (type.name !== 'VectorSelector') return
      const name = node.getChild('Identifier')
      const labels = [...labelNames(text.slice(from, to))]
      selectors.push({ metric: name ? text.slice(name.from, name.to) : '', labels })
    },
  })
  return selectors
}

/** The labels that a query groups or joins by: they have to exist, too. */
export function groupingOf(query: string): string[] {
  const lists = [...query.matchAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g)]
  return lists.flatMap(([, names]) => names!.split(',').map(name => name.trim())).filter(name => name !== '')
}

function* labelNames(selector: string): Iterable<string> {
  for (const [, name] of selector.matchAll(/[{,]\s*([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)/g)) yield name!
}

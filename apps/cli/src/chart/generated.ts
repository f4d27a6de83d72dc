import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { topicConfig } from '@posthorn/kafka'
import { ALL_TOPICS } from '@posthorn/topics'
import prettier from 'prettier'
import { isMap, isPair, parseDocument, Scalar, type Pair, type YAMLMap } from 'yaml'
import { stringify } from 'yaml'
import { DASHBOARD_DIR, RULE_FILE } from '../grafana/paths.js'
import { ROOT } from '../repository.js'
import { ALL_APIS, CHART, renderText } from './render.js'
import type { ChartTools } from './tools.js'

const EXAMPLES = join(ROOT, 'k8s', 'examples')
const MADE = '# Made by `npm run chart`: change what it is made from.\n'

/** The files in k8s/ that are made from others: path from the repository's root to text. */
export async function generatedFiles(tools: ChartTools): Promise<Map<string, string>> {
  const files = new Map([...sources()])
  for (const example of ['minimal', 'production']) {
    const values = [join(CHART, 'ci', `${example}-values.yaml`)]
    // The same as for those who have no Helm: hooks are applied by hand, as k8s/examples/README.md says.
    const text = await renderText(tools.helm[0]!, { values, apis: ALL_APIS })
    files.set(join(EXAMPLES, `${example}.yaml`), MADE + text)
  }
  return files
}

/** Those that Helm itself reads: they have to be there before it renders. */
export async function chartSources(): Promise<Map<string, string>> {
  const readme = await prettier.format(valuesPage(readFileSync(join(CHART, 'values.yaml'), 'utf8')), {
    parser: 'markdown',
    printWidth: 120,
  })
  return new Map([...sources(), [join(CHART, 'README.md'), readme]])
}

function sources(): Map<string, string> {
  const topics = ALL_TOPICS.map(topic => {
    const { name, partitions } = topic
    return { name, partitions, config: topicConfig(topic) }
  })
  const dashboards = readdirSync(DASHBOARD_DIR).filter(name => name.endsWith('.json'))
  return new Map([
    [join(CHART, 'files', 'topics.yaml'), MADE + stringify({ topics })],
    ...dashboards.map(
      name =>
        [join(CHART, 'files', 'dashboards', basename(name)), readFileSync(join(DASHBOARD_DIR, name), 'utf8')] as const,
    ),
    [join(CHART, 'files', 'alerts', 'posthorn.yaml'), readFileSync(RULE_FILE, 'utf8')],
  ])
}

const INTRODUCTION = `# The chart

Posthorn on Kubernetes: a Deployment for each of the seven services, of one image. Kafka and Postgres are yours; their
passwords and all keys come from Secrets that are yours, too. Needs Kubernetes 1.30 and Helm 3.14 or newer, or Helm 4.

\`\`\`sh
docker build -f deploy/Dockerfile -t registry.example.com/posthorn:0.1.0 . && docker push registry.example.com/posthorn:0.1.0
kubectl create namespace posthorn && kubectl label namespace posthorn pod-security.kubernetes.io/enforce=restricted
kubectl -n posthorn create secret generic posthorn \\
  --from-literal=sealing-keys="k1:$(openssl rand -base64 32)" \\
  --from-literal=platform-key="$(openssl rand -hex 24)" \\
  --from-literal=database-url=postgres://posthorn:…@postgres:5432/posthorn
helm install posthorn k8s/posthorn -n posthorn -f values.yaml   # ci/minimal-values.yaml is the least of it
\`\`\`

\`ci/\` has values for a production cluster, Strimzi, KEDA, Gateway API and clusters without internet. What is not a value
is refused. Operating it: [docs/operations](../../docs/operations/README.md). Without Helm: [k8s/examples](../examples/README.md).

## Values

\`services.<name>\` (ingest, registry, router, deliverer, retry-scheduler, replayer, monitor) has the values of \`defaults\` and
beats them.

| value | default | meaning |
| --- | --- | --- |
`

/** A row for each value: its comment in values.yaml is its meaning, and that of a group goes before its rows. */
function valuesPage(yaml: string): string {
  const rows: string[] = []
  const walk = (map: YAMLMap, path: string) => {
    map.items.forEach((pair, at) => {
      const name = path + String((pair.key as Scalar).value)
      const comment = commentOf(pair, at === 0 ? (path === '' ? undefined : map.commentBefore) : undefined)
      const { value } = pair
      if (isMap(value) && value.items.length > 0 && !isLeaf(name, value)) {
        if (comment) rows.push(`| **${name}** | | ${comment} |`)
        walk(value, `${name}.`)
      } else rows.push(`| \`${name}\` | ${shown(value)} | ${comment} |`)
    })
  }
  walk(parseDocument(yaml).contents as YAMLMap, '')
  return INTRODUCTION + rows.join('\n') + '\n'
}

/** Small maps that are one value for a person. */
function isLeaf(name: string, map: YAMLMap): boolean {
  return (
    map.flow === true || name.startsWith('services.') || name === 'defaults.resources' || name.endsWith('.behavior')
  )
}

function commentOf(pair: Pair, ofMap: string | null | undefined): string {
  const key = isPair(pair) ? (pair.key as Scalar) : undefined
  const text = key?.commentBefore ?? ofMap ?? ''
  return text
    .split('\n\n')
    .at(-1)!
    .split('\n')
    .map(line => line.trim())
    .join(' ')
    .trim()
    .replaceAll('|', '\\|')
    .replaceAll(/<(\w+)>/g, '&lt;$1&gt;')
}

function shown(value: unknown): string {
  const json = JSON.stringify((value as { toJSON(): unknown } | null)?.toJSON() ?? null)
  if (json === '""') return 'unset'
  return json.length > 60 ? 'see values.yaml' : `\`${json.replaceAll('|', '\\|')}\``
}

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readSettings, SETTING_DESCRIPTIONS, Settings } from '@posthorn/process'
import { createAuthority } from '@posthorn/testkit'
import { ALL_TOPICS } from '@posthorn/topics'
import { parse } from 'yaml'
import { ROOT } from '../repository.js'
import { TARGET_NAMES } from '../target-names.js'
import { ALL_APIS, CHART, render, type KubernetesObject } from './render.js'
import { builtTools } from './tools.js'

/** Settings that no value of the chart reaches, and why that is right. */
const NOT_IN_CHART: Readonly<Record<string, string>> = {
  POSTHORN_LISTEN_HOST: 'a pod listens on its own address, which is the default',
  POSTHORN_REGISTRY_PORT: 'inside a pod no port is taken: the Service says which one is seen',
  POSTHORN_REGISTRY_GRPC_PORT: 'as above',
  POSTHORN_INGEST_PORT: 'as above',
  POSTHORN_INGEST_GRPC_PORT: 'as above',
  POSTHORN_HEALTH_PORT: 'as above',
  POSTHORN_INGEST_SOURCES: 'ingest.sources goes in as a file, by POSTHORN_INGEST_SOURCES_FILE',
}
/** A secret that is given as a file counts for its variable. */
const FILE = '_FILE'

const tools = builtTools()
const suite = tools === undefined ? describe.skip : describe

interface Pod {
  readonly spec: {
    readonly volumes?: readonly {
      readonly name: string
      readonly projected?: { readonly sources: readonly Source[] }
    }[]
    readonly initContainers?: readonly Container[]
    readonly containers: readonly Container[]
  }
}
interface Source {
  readonly secret?: Items
  readonly configMap?: Items
}
interface Items {
  readonly items: readonly { readonly key: string; readonly path: string }[]
}
interface Container {
  readonly name: string
  readonly args?: readonly string[]
  readonly env: readonly { readonly name: string; readonly value?: string }[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
  readonly startupProbe?: Probe
}
interface Probe {
  readonly httpGet: { readonly path: string }
}

let dir: string
const rendered = new Map<string, KubernetesObject[]>()

beforeAll(async () => {
  if (!tools) return
  dir = mkdtempSync(join(tmpdir(), 'posthorn-settings-'))
  for (const name of readdirSync(join(CHART, 'ci')))
    rendered.set(name, await render(tools.helm[0]!, { values: [join(CHART, 'ci', name)], apis: ALL_APIS }))
  // Nothing left at its default that could be set.
  const everything = join(dir, 'everything.yaml')
  writeFileSync(everything, EVERYTHING)
  const values = [join(CHART, 'ci', 'production-values.yaml'), everything]
  rendered.set('everything', await render(tools.helm[0]!, { values, apis: ALL_APIS }))
}, 120_000)

afterAll(() => {
  if (dir) rmSync(dir, { recursive: true, force: true })
})

const EVERYTHING = `
kafka: { tls: { clientSecret: kafka-client } }
egress: { allow: [10.20.0.0/16], proxy: { existingSecret: egress-proxy, except: [10.20.0.0/16] } }
webhook: { ownershipOrigin: hooks.example.com }
monitor: { chats: true }
metrics: { otlpUrl: 'http://collector:4318' }
grafana: { url: https://grafana.example.com }
`

/** The pods of our own image, by what runs in them. */
function podsIn(all: readonly KubernetesObject[]) {
  return all.flatMap(({ kind, metadata, spec }) => {
    const pod = kind === 'Pod' ? { spec } : (spec as { template?: unknown } | undefined)?.template
    const isOurs = ['Deployment', 'Job', 'Pod'].includes(kind) && !metadata.name.includes('-demo-')
    return isOurs ? [{ name: metadata.name, pod: pod as Pod }] : []
  })
}

const containersOf = ({ spec }: Pod) => [...(spec.initContainers ?? []), ...spec.containers]
const allContainers = () =>
  [...rendered.values()].flatMap(podsIn).flatMap(({ pod }) => containersOf(pod).map(container => ({ pod, container })))
const services = (name: string) =>
  podsIn(rendered.get(name)!).flatMap(({ pod }) =>
    containersOf(pod).flatMap(container => {
      const target = container.args?.find(arg => arg.startsWith('--target='))?.slice('--target='.length)
      return target === undefined ? [] : [{ target, pod, container }]
    }),
  )

suite('what the chart names', () => {
  it('is a Deployment for each target, and no other', () => {
    for (const name of rendered.keys())
      expect(
        services(name)
          .map(({ target }) => target)
          .sort(),
      ).toEqual([...TARGET_NAMES].sort())
  })

  it('is every setting, or it stands on the list of those that are not for users', () => {
    const named = new Set(allContainers().flatMap(({ container }) => container.env.map(({ name }) => name)))
    const missing = SETTING_DESCRIPTIONS.map(({ variable }) => variable).filter(
      variable => !named.has(variable) && !named.has(variable + FILE) && !(variable in NOT_IN_CHART),
    )
    // Add the row to templates/_settings.tpl, and the value to values.yaml and values.schema.json.
    expect(missing).toEqual([])
    const known = new Set(SETTING_DESCRIPTIONS.map(({ variable }) => variable))
    expect(Object.keys(NOT_IN_CHART).filter(variable => !known.has(variable) || named.has(variable))).toEqual([])
  })

  it('is given to the services whose code reads it', () => {
    const everything = services('everything')
    for (const { target, container } of everything) {
      const names = new Set(container.env.map(({ name }) => name))
      const lacks = SETTING_DESCRIPTIONS.map(({ variable }) => variable).filter(
        variable =>
          !(variable in NOT_IN_CHART) &&
          sourceOf(target).some(text => reads(text, variable)) &&
          !names.has(variable) &&
          !names.has(variable + FILE),
      )
      expect([target, ...lacks]).toEqual([target])
    }
  })

  it.each(['minimal', 'production', 'strimzi', 'keda', 'gateway', 'airgapped', 'demo', 'everything'])(
    'is what the services accept at their start: %s',
    name => {
      const all = rendered.get(name === 'everything' ? name : `${name}-values.yaml`)!
      for (const { name: owner, pod } of podsIn(all))
        for (const container of containersOf(pod)) {
          if (container.name === 'smoke') continue
          const env = withFiles(container, pod, owner)
          expect([owner, ...problemsOf(env)]).toEqual([owner])
        }
    },
  )

  it('has the values that the code has as defaults', () => {
    // What is not a default in production: three replicas, and a number to page on.
    const different = ['POSTHORN_KAFKA_BROKERS', 'POSTHORN_KAFKA_REPLICATION', 'POSTHORN_PROBER_INTERVAL_SECONDS']
    const settings = new Map(SETTING_DESCRIPTIONS.map(({ variable, default: value }) => [variable, value]))
    for (const { container } of services('minimal-values.yaml'))
      for (const { name, value } of container.env)
        if (!name.endsWith(FILE) && !different.includes(name)) expect([name, value]).toEqual([name, settings.get(name)])
  })

  it('is ports and probe paths that the code serves', () => {
    const settings = new Settings()
    const ports: Readonly<Record<string, object>> = {
      registry: { http: settings.registryPort, grpc: settings.registryGrpcPort },
      ingest: { http: settings.ingestPort, grpc: settings.ingestGrpcPort },
    }
    const health = readFileSync(join(ROOT, 'libs/process/src/health.ts'), 'utf8')
    for (const { target, container } of services('minimal-values.yaml')) {
      const found = Object.fromEntries((container.ports ?? []).map(({ name, containerPort }) => [name, containerPort]))
      expect([target, found]).toEqual([target, { health: settings.healthPort, ...ports[target] }])
      for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe])
        expect(health).toContain(`'${probe!.httpGet.path}'`)
    }
    const routes = JSON.stringify(rendered.get('gateway-values.yaml'))
    for (const { port } of [...routes.matchAll(/"(?:registry|ingest)","port":(?<port>\d+)/g)].map(
      ({ groups }) => groups!,
    ))
      expect([8080, 8081, 9090, 9091]).toContain(Number(port))
    const [, service] = /"method":\{"service":"([^"]+)"/.exec(routes)!
    const proto = readFileSync(join(ROOT, 'libs/api/proto/posthorn/publish/v1/publish.proto'), 'utf8')
    const [, pack] = /^package (\S+);/m.exec(proto)!
    const [, name] = /^service (\w+)/m.exec(proto)!
    expect(service).toBe(`${pack}.${name}`)
  })

  it('is metrics that the code makes', () => {
    const text = [...rendered.values()].map(all => JSON.stringify(all)).join('\n')
    const used = new Set(text.match(/\bposthorn_[a-z_]+/g))
    expect(used.size).toBeGreaterThan(6)
    const made = metricNames()
    expect([...used].filter(name => !made.has(name))).toEqual([])
  })

  it('is a KafkaTopic for each topic, with its partitions and settings', () => {
    const topics = rendered.get('strimzi-values.yaml')!.filter(({ kind }) => kind === 'KafkaTopic')
    const found = topics.map(({ spec }) => spec as { topicName: string; partitions: number; config: object })
    expect(found.map(({ topicName }) => topicName).sort()).toEqual(
      ALL_TOPICS.map(({ name }) => `posthorn.${name}`).sort(),
    )
    for (const { topicName, partitions, config } of found) {
      const topic = ALL_TOPICS.find(({ name }) => `posthorn.${name}` === topicName)!
      expect(partitions).toBe(topic.partitions === 'work' ? 12 : 1)
      expect(config).toMatchObject({ 'cleanup.policy': topic.cleanup, 'min.insync.replicas': '2' })
    }
  })

  it('waits longer for a pod to end than the code does', () => {
    const run = readFileSync(join(ROOT, 'libs/process/src/run.ts'), 'utf8')
    const stop = Number(/STOP_TIMEOUT_MS = ([\d_]+)/.exec(run)![1]!.replaceAll('_', '')) / 1000
    const values = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as {
      defaults: { terminationGracePeriodSeconds: number }
    }
    const preStop = 5
    expect(values.defaults.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(stop + preStop + 5)
  })
})

/** The code of a service, its tests left out. */
function sourceOf(target: string): string[] {
  const folder = join(ROOT, 'apps', target, 'src')
  return readdirSync(folder)
    .filter(name => name.endsWith('.ts') && !name.includes('.spec.'))
    .map(name => readFileSync(join(folder, name), 'utf8'))
}

/** KAFKA_TLS_CA_FILE is kafkaTlsCaFile; what a file holds goes by the name without it. */
function reads(text: string, variable: string): boolean {
  const words = variable.slice('POSTHORN_'.length).toLowerCase().split('_')
  const field = words.map((word, at) => (at === 0 ? word : word[0]!.toUpperCase() + word.slice(1))).join('')
  return [field, field.replace(/File$/, '')].some(name => new RegExp(`settings\\b[^]{0,400}\\b${name}\\b`).test(text))
}

/** The environment of a container, with files such as the named ones in place of those that a cluster would mount. */
function withFiles(container: Container, pod: Pod, owner: string): NodeJS.ProcessEnv {
  const home = join(dir, owner, container.name)
  const authority = createAuthority('chart')
  const client = authority.issue('client')
  const contents: readonly (readonly [RegExp, string])[] = [
    [/sealing/, `k1:${Buffer.alloc(32, 7).toString('base64')}`],
    [/platform-key/, 'a-platform-key-of-24-characters'],
    [/database/, 'postgres://posthorn@postgres:5432/posthorn'],
    [/ca\.crt/, authority.ca],
    [/server\.crt/, client.cert],
    [/server\.key/, client.key],
    [/client\.crt/, client.cert],
    [/client\.key/, client.key],
    [/password/, 'password'],
    [/sources/, '[]'],
    [/proxy-url/, 'http://user:password@proxy:3128'],
    [/smtp/, 'smtp://user:password@smtp:587'],
  ]
  const sources = (pod.spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? [])
  const mounted = sources.flatMap(({ secret, configMap }) => (secret ?? configMap)!.items.map(({ path }) => path))
  return Object.fromEntries(
    container.env
      .filter(({ name }) => name.startsWith('POSTHORN_'))
      .map(({ name, value = '' }) => {
        if (!name.endsWith(FILE)) return [name, value]
        const path = value.replace('/etc/posthorn/', '')
        expect(mounted).toContain(path)
        const file = join(home, path)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, contents.find(([pattern]) => pattern.test(path))![1])
        return [name, file]
      }),
  )
}

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    readSettings(env)
    return []
  } catch (error) {
    return (error as { problems?: readonly string[] }).problems ?? [String(error)]
  }
}

/** As docs/metrics.md has them, which is held against a scrape of a running platform. */
function metricNames(): Set<string> {
  const page = readFileSync(join(ROOT, 'docs', 'metrics.md'), 'utf8')
  const names = new Set<string>()
  for (const [, name, kind] of page.matchAll(/^\| `(posthorn_\w+)` +\| (\w+)/gm))
    for (const end of kind === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) names.add(name! + end)
  return names
}

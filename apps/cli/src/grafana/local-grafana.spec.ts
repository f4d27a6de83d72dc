import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parser as logql } from '@grafana/lezer-logql'
import { selectorsOf } from '@posthorn/testkit'
import { parse } from 'yaml'
import { ROOT } from '../repository.js'
import { observabilityFiles } from './files.js'

const DEPLOY = join(ROOT, 'deploy')

interface ComposeService {
  readonly image: string
  readonly command?: readonly string[]
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly depends_on?: readonly string[]
}
interface Compose {
  readonly name: string
  readonly services: Readonly<Record<string, ComposeService>>
  readonly volumes: Readonly<Record<string, object>>
}
interface Datasource {
  readonly type: string
  readonly uid: string
  readonly url: string
}

const read = (...path: string[]) => parse(readFileSync(join(DEPLOY, ...path), 'utf8')) as unknown
const compose = read('compose.observability.yaml') as Compose
const services = Object.entries(compose.services)
const { datasources } = read('grafana', 'provisioning', 'datasources', 'posthorn.yaml') as { datasources: Datasource[] }
const mountsOf = ({ volumes = [] }: ComposeService) =>
  volumes.map(volume => {
    const [, from, to, mode] = /^(\$\{[^}]+\}|[^:]+):([^:]+)(?::(\w+))?$/.exec(volume)!
    return { from: from!.replace(/^\$\{\w+:-(.*)\}$/, '$1'), to: to!, mode }
  })

/** Every value of these names, wherever it is. */
function valuesOf(tree: unknown, name: string): string[] {
  if (tree === null || typeof tree !== 'object') return []
  return Object.entries(tree).flatMap(([key, value]) =>
    key === name && typeof value === 'string' ? [value] : valuesOf(value, name),
  )
}

describe('S13 a local Grafana', () => {
  it('S13 pins the version of every image', () => {
    for (const [name, { image }] of services)
      expect([name, image]).toEqual([name, expect.stringMatching(/:v?\d+\.\d+\.\d+$/)])
  })

  it('S13 is open to this machine alone, at ports that Posthorn does not take', () => {
    const posthorn = read('compose.yaml') as Compose
    const hostPorts = ({ services: all }: Compose) => Object.values(all).flatMap(({ ports = [] }) => ports)
    const ours = hostPorts(compose)
    expect(ours.filter(port => !port.startsWith('127.0.0.1:'))).toEqual([])
    const taken = new Set(hostPorts(posthorn).map(port => port.split(':')[1]))
    expect(ours.map(port => port.split(':')[1]).filter(port => taken.has(port))).toEqual([])
    expect(compose.name).toBe(posthorn.name)
    expect(services.map(([name]) => name).filter(name => name in posthorn.services)).toEqual([])
  })

  it('S13 mounts what is there, to be read only, and gives each program the file that it is told', () => {
    for (const [name, service] of services) {
      const mounts = mountsOf(service)
      for (const { from, mode } of mounts) {
        if (!from.startsWith('.')) expect(compose.volumes).toHaveProperty(from)
        // Made by the first npm start.
        else if (from !== '../.posthorn')
          expect([name, from, existsSync(resolve(DEPLOY, from)), mode]).toEqual([name, from, true, 'ro'])
      }
      for (const word of service.command ?? []) {
        const file = /(?:config|config\.file)=(\S+)/.exec(word)?.[1]
        if (file !== undefined) expect(mounts.map(({ to }) => to)).toContain(file)
      }
      for (const other of service.depends_on ?? []) expect(compose.services).toHaveProperty(other)
    }
  })

  it('S13 has one data source of each type that a dashboard takes, at a service and port of its own', () => {
    const used = [...observabilityFiles().values()]
      .filter(text => text.startsWith('{'))
      .flatMap(
        text => (JSON.parse(text) as { templating: { list: { type: string; query: unknown }[] } }).templating.list,
      )
      .filter(({ type }) => type === 'datasource')
    expect([...new Set(used.map(({ query }) => query))].sort()).toEqual(datasources.map(({ type }) => type).sort())
    expect(new Set(datasources.map(({ uid }) => uid)).size).toBe(datasources.length)
    const ports = { prometheus: 9090, tempo: portOf('tempo'), loki: portOf('loki') }
    for (const { type, url } of datasources) {
      const { hostname, port } = new URL(url)
      expect([compose.services[hostname]?.image, Number(port)]).toEqual([
        expect.stringContaining(`/${type}:`),
        ports[type as keyof typeof ports],
      ])
    }
  })

  it('S13 links traces, logs and metrics to each other: data sources that exist, queries that parse', () => {
    const uids = datasources.map(({ uid }) => uid)
    const linked = valuesOf(datasources, 'datasourceUid')
    expect(new Set(linked)).toEqual(new Set(['prometheus', 'tempo', 'loki']))
    expect(linked.filter(uid => !uids.includes(uid))).toEqual([])
    const queries = valuesOf(datasources, 'query')
    expect(queries).toHaveLength(3)
    for (const query of queries.filter(each => each.includes('rate('))) expect(selectorsOf(query)).toHaveLength(1)
    const [toLogs] = queries.filter(each => each.includes('| json'))
    const faults: number[] = []
    logql
      .parse(toLogs!.replace('$${__trace.traceId}', 'abc'))
      .iterate({ enter: node => void (node.type.isError && faults.push(node.from)) })
    expect(faults).toEqual([])
    const [matcher] = valuesOf(datasources, 'matcherRegex')
    const line = JSON.stringify({ level: 30, outcome: 'retry', trace_id: '4bf92f3577b34da6a3ce929d0e0e4736' })
    expect(new RegExp(matcher!).exec(line)?.[1]).toBe('4bf92f3577b34da6a3ce929d0e0e4736')
  })

  it('S13 provisions the dashboards from the folder that is mounted, and the first page with them', () => {
    const { providers } = read('grafana', 'provisioning', 'dashboards', 'posthorn.yaml') as {
      providers: { options: { path: string } }[]
    }
    const mounts = mountsOf(compose.services.grafana!)
    expect(providers.map(({ options }) => options.path)).toEqual([mounts[1]!.to])
    const [home] = valuesOf(compose.services.grafana, 'GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH')
    expect(existsSync(home!.replace(mounts[1]!.to, join(DEPLOY, 'grafana', 'dashboards')))).toBe(true)
    const provisioning = join(DEPLOY, 'grafana', 'provisioning')
    expect(readdirSync(provisioning).filter(name => statSync(join(provisioning, name)).isDirectory())).toEqual([
      'dashboards',
      'datasources',
    ])
  })

  it('S13 has Prometheus scrape Posthorn in and outside of containers, with the alert rules', () => {
    const prometheus = read('observability', 'prometheus.yaml') as {
      rule_files: string[]
      scrape_configs: { static_configs: { targets: string[] }[] }[]
    }
    const mounted = mountsOf(compose.services.prometheus!).map(({ to }) => to)
    for (const file of prometheus.rule_files) expect(mounted).toContain(file)
    expect(prometheus.scrape_configs[0]!.static_configs[0]!.targets).toEqual([
      'posthorn:8090',
      'host.docker.internal:8090',
    ])
    expect(compose.services.prometheus!.command).toContain('--web.enable-remote-write-receiver')
  })

  it('S13 has a collector whose pipelines are made of what it defines, each part used, to services that listen', () => {
    type Parts = Readonly<Record<string, { readonly endpoint?: string } | null>>
    const collector = read('observability', 'collector.yaml') as Record<
      'receivers' | 'processors' | 'exporters',
      Parts
    > & {
      service: { pipelines: Record<string, Record<'receivers' | 'processors' | 'exporters', string[]>> }
    }
    for (const kind of ['receivers', 'processors', 'exporters'] as const) {
      const used = Object.values(collector.service.pipelines).flatMap(pipeline => pipeline[kind])
      expect(new Set(used)).toEqual(new Set(Object.keys(collector[kind])))
    }
    for (const exporter of Object.values(collector.exporters)) {
      const { hostname } = new URL(exporter!.endpoint!)
      expect(compose.services).toHaveProperty(hostname)
    }
    const traced = read('compose.traced.yaml') as { services: { posthorn: { environment: Record<string, string> } } }
    const { hostname, port } = new URL(traced.services.posthorn.environment.POSTHORN_TRACE_OTLP_URL!)
    expect([hostname in compose.services, `127.0.0.1:${port}:${port}`]).toEqual([
      true,
      compose.services.collector!.ports!.find(each => each.endsWith(`:${port}`)),
    ])
  })
})

function portOf(service: 'tempo' | 'loki'): number {
  return (read('observability', `${service}.yaml`) as { server: { http_listen_port: number } }).server.http_listen_port
}

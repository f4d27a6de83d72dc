// Longer than files are here: all of it looks at the same renders of the chart, which take seconds.
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ROOT } from '../repository.js'
import { chartSources, generatedFiles } from './generated.js'
import { ALL_APIS, CHART, objectsIn, render, renderText, runHelm, type KubernetesObject } from './render.js'
import { builtTools, type ChartTools } from './tools.js'

const built = builtTools()
if (built === undefined)
  process.stderr.write(
    '\n*** THE CHART IS NOT CHECKED: helm and kubeconform are not built; `npm run chart -- --tools` says why. ***\n\n',
  )
const tools = built as ChartTools
const suite = built === undefined ? describe.skip : describe

const CI = join(CHART, 'ci')
const NAMES = readdirSync(CI).map(name => name.replace('-values.yaml', ''))
const valuesOf = (name: string) => join(CI, `${name}-values.yaml`)
const MINIMAL = valuesOf('minimal')
const SERVICES = ['deliverer', 'ingest', 'monitor', 'registry', 'replayer', 'retry-scheduler', 'router']

let dir: string
/** By the name of the values, with the first helm. */
const texts = new Map<string, string>()
const objects = new Map<string, KubernetesObject[]>()

beforeAll(async () => {
  if (built === undefined) return
  dir = mkdtempSync(join(tmpdir(), 'posthorn-chart-'))
  for (const name of NAMES) {
    const text = await renderText(tools.helm[0]!, { values: [valuesOf(name)], apis: ALL_APIS })
    texts.set(name, text)
    objects.set(name, objectsIn(text))
  }
}, 120_000)

afterAll(() => {
  if (dir) rmSync(dir, { recursive: true, force: true })
})

const withMinimal = (...set: string[]) =>
  renderText(tools.helm[0]!, { values: [MINIMAL], set, apis: ALL_APIS }).then(
    () => 'rendered',
    (error: Error) => error.message,
  )

suite('the chart', () => {
  it('has values for each of the ways to install it', () => {
    expect(NAMES.sort()).toEqual(['airgapped', 'demo', 'gateway', 'keda', 'minimal', 'production', 'strimzi'])
  })

  it.each(NAMES)('lints and renders by either helm to the same objects: %s', async name => {
    const [ours, older] = tools.helm
    const values = `--values=${valuesOf(name)}`
    for (const helm of tools.helm) await runHelm(helm, ['lint', '--strict', '--quiet', CHART, values])
    const options = { values: [valuesOf(name)], apis: ALL_APIS }
    expect(await renderText(ours!, options)).toBe(texts.get(name))
    expect(byName(await render(older!, options))).toEqual(byName(objects.get(name)!))
  })

  it('makes only objects that the APIs of Kubernetes, Gateway API, KEDA, the Prometheus operator and Strimzi take', async () => {
    const files = NAMES.map(name => {
      const file = join(dir, `${name}.yaml`)
      writeFileSync(file, texts.get(name)!)
      return file
    })
    const { resources, summary } = await conform(files)
    expect(resources.filter(({ status }) => status !== 'statusValid')).toEqual([])
    expect(summary.valid).toBe([...objects.values()].flat().length)
    const kinds = new Set([...objects.values()].flat().map(({ kind }) => kind))
    for (const kind of ['ScaledObject', 'HTTPRoute', 'GRPCRoute', 'ServiceMonitor', 'PrometheusRule'])
      expect(kinds).toContain(kind)
    for (const kind of ['KafkaTopic', 'KafkaUser', 'Ingress', 'HorizontalPodAutoscaler', 'PodDisruptionBudget'])
      expect(kinds).toContain(kind)
  }, 60_000)

  it.each([
    ['Deployment', { apiVersion: 'apps/v1', spec: { replicsa: 1 } }],
    ['ScaledObject', { apiVersion: 'keda.sh/v1alpha1', spec: { scaleTargetRef: { name: 'a' }, triger: [] } }],
    ['HTTPRoute', { apiVersion: 'gateway.networking.k8s.io/v1', spec: { parentRef: [] } }],
    ['ServiceMonitor', { apiVersion: 'monitoring.coreos.com/v1', spec: { selector: {}, endpoints: [{ prot: 'a' }] } }],
    ['KafkaTopic', { apiVersion: 'kafka.strimzi.io/v1', spec: { partition: 1 } }],
  ])('is checked by schemas that refuse a misspelt field of a %s', async (kind, object) => {
    const file = join(dir, `bad-${kind}.yaml`)
    writeFileSync(file, JSON.stringify({ kind, metadata: { name: 'bad' }, ...object }))
    expect((await conform([file])).resources).toMatchObject([{ status: 'statusInvalid' }])
  })

  it.each([
    ['logLevl=debug', 'logLevl'],
    ['log.levl=debug', 'levl'],
    ['log.level=verbose', 'log.level|log/level'],
    ['services.router.replica=3', 'replica'],
    ['services.routr.replicas=3', 'routr'],
    ['services.router.replicas=many', 'replicas'],
    ['services.router.autoscaling.type=both', 'type'],
    ['services.router.resources.request.cpu=1', 'request'],
    ['services.router.probes.liveness.period=1', 'period'],
    ['services.router.terminationGracePeriodSeconds=30', 'terminationGracePeriodSeconds'],
    ['services.retry-scheduler.autoscaling.queries[0].querry=a', 'querry'],
    ['defaults.pdb.minAvailable=1', 'minAvailable'],
    ['kafka.partitions=0', 'partitions'],
    ['kafka.brokers={kafka}', 'brokers'],
    ['kafka.sasl.password=secret', 'password'],
    ['kafka.sasl.mechanism=SCRAM', 'mechanism'],
    ['database.url=postgres://a', 'url'],
    ['auth.platformKey=secret', 'platformKey'],
    ['egress.allow={10.0.0.0}', 'allow'],
    ['egress.minTlsVersion=1.1', 'minTlsVersion'],
    ['image.tags=1', 'tags'],
    ['image.digest=sha256:abc', 'digest'],
    ['networkPolicy.enable=false', 'enable'],
    ['gateway.hosts={a.example.com}', 'hosts'],
    ['strimzi.enabled=true', 'enabled'],
    ['setup.mode=job', 'mode'],
    ['ingest.maxEventBytes=2000000', 'maxEventBytes'],
    ['image.repository=', 'image.repository is not set'],
    ['sealing.existingSecret=', 'sealing.existingSecret is not set'],
    ['database.existingSecret=', 'database.existingSecret is not set'],
    ['kafka.brokers=null', 'kafka.brokers is not set'],
    ['kafka.sasl.mechanism=PLAIN', 'kafka.sasl.existingSecret is not set'],
    ['services.router.autoscaling.type=keda', 'keda.prometheusUrl is not set'],
    ['gateway.enabled=true', 'gateway.parentRefs is not set'],
    ['ingress.enabled=true', 'ingress.hosts is not set'],
    ['strimzi.topics=true', 'strimzi.cluster is not set'],
  ])('refuses %s', async (set, word) => {
    expect(await withMinimal(set)).toMatch(new RegExp(word))
  })

  it.each([
    ['gateway.enabled=true', 'gateway.networking.k8s.io/v1'],
    ['monitoring.serviceMonitor.enabled=true', 'monitoring.coreos.com/v1'],
    ['strimzi.user=true', 'kafka.strimzi.io/v1'],
  ])('says which API the cluster lacks for %s', async (set, api) => {
    const refused = renderText(tools.helm[0]!, { values: [MINIMAL], set: [set] })
    await expect(refused).rejects.toThrow(`this cluster does not serve ${api}`)
  })

  it('scales a service by one of HPA and KEDA, and then says no number of replicas', () => {
    for (const [name, all] of objects) {
      const scaled = all.filter(({ kind }) => kind === 'ScaledObject' || kind === 'HorizontalPodAutoscaler')
      const names = scaled.map(object => object.metadata.name)
      expect(new Set(names).size).toBe(names.length)
      for (const { metadata, spec } of deployments(all)) {
        const isScaled = names.includes(metadata.name)
        expect([name, metadata.name, 'replicas' in spec]).toEqual([name, metadata.name, !isScaled])
      }
    }
  })

  it.each(NAMES)('runs all pods under restricted Pod Security, without a token, with limits: %s', name => {
    const pods = podsOf(objects.get(name)!)
    expect(pods.length).toBeGreaterThanOrEqual(8)
    for (const { owner, spec } of pods) expect([owner, ...restrictedFaults(spec)]).toEqual([owner])
    for (const { owner, spec } of pods.filter(({ owner: each }) => !each.includes('demo-')))
      for (const container of [...(spec.initContainers ?? []), ...spec.containers])
        expect([owner, container.securityContext.readOnlyRootFilesystem]).toEqual([owner, true])
  })

  it.each(NAMES)('closes all that a service does not need by a NetworkPolicy of its own: %s', name => {
    const all = objects.get(name)!
    const policies = all.filter(({ kind }) => kind === 'NetworkPolicy') as unknown as Policy[]
    for (const { owner, labels } of podsOf(all)) {
      const mine = policies.filter(({ spec }) => selects(spec.podSelector.matchLabels, labels))
      expect([owner, mine.length]).toEqual([owner, 1])
      expect(mine[0]!.spec.policyTypes).toEqual(['Ingress', 'Egress'])
    }
    const open = policies.filter(({ spec }) =>
      (spec.egress ?? []).some(rule => JSON.stringify(rule).includes('0.0.0.0/0')),
    )
    expect(open.map(({ metadata }) => metadata.labels['app.kubernetes.io/component'])).toEqual(['deliverer'])
    const database = ({ spec }: Policy) =>
      (spec.egress ?? []).some(({ ports = [] }) => ports.some(({ port }) => port === 5432))
    expect(policies.filter(database).map(({ metadata }) => metadata.labels['app.kubernetes.io/component'])).toEqual(
      name === 'gateway' || name === 'airgapped' || name === 'demo'
        ? ['monitor', 'registry', 'replayer']
        : ['monitor', 'registry', 'replayer', 'setup'],
    )
  })

  it('lets the deliverer reach the internet and what egress.allow opens, and no private address else', () => {
    const ranges = (name: string) => {
      const policy = objects
        .get(name)!
        .find(
          ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name.endsWith('-deliverer'),
        ) as unknown as Policy
      const blocks = policy.spec
        .egress!.flatMap(({ to = [] }) => to)
        .flatMap(({ ipBlock }) => (ipBlock ? [ipBlock] : []))
      return { blocks, ports: policy.spec.egress!.at(-1)!.ports }
    }
    const { blocks, ports } = ranges('minimal')
    expect(blocks.map(({ cidr }) => cidr)).toEqual(['0.0.0.0/0', '::/0'])
    for (const range of ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '100.64.0.0/10'])
      expect(blocks[0]!.except).toContain(range)
    for (const range of ['fc00::/7', 'fe80::/10', '::ffff:0:0/96']) expect(blocks[1]!.except).toContain(range)
    expect(ports).toEqual([
      { protocol: 'TCP', port: 80 },
      { protocol: 'TCP', port: 443 },
      { protocol: 'TCP', port: 1024, endPort: 65_535 },
    ])
    expect(ranges('airgapped').blocks.map(({ cidr }) => cidr)).toEqual([
      '0.0.0.0/0',
      '::/0',
      '10.20.0.0/16',
      'fd00:20::/48',
    ])
    const denied = ranges('production').blocks
    expect(denied[0]!.except).toContain('198.51.100.7/32')
    expect(denied[1]!.except).toContain('2001:db8::/32')
    expect(ranges('production').ports).toEqual([{ protocol: 'TCP', port: 443 }])
  })

  it('S7 lets the registry reach receivers where it asks them, by the same ranges, and only there', async () => {
    const set = ['webhook.ownershipOrigin=hooks.example.com']
    const all = await render(tools.helm[0]!, { values: [MINIMAL], set })
    const egress = (found: readonly KubernetesObject[], service: string) =>
      (found.find(
        ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name.endsWith(`-${service}`),
      ) as unknown as Policy)!.spec.egress!
    const receivers = egress(all, 'deliverer').at(-1)!
    expect(JSON.stringify(receivers)).toContain('0.0.0.0/0')
    expect(egress(all, 'registry')).toEqual([...egress(objects.get('minimal')!, 'registry'), receivers])
  })

  it('S7 gives a service the Secret of its own role in Postgres, and the migration that of the owner', async () => {
    const set = ['registry', 'monitor'].map(service => `database.serviceSecrets.${service}=role-${service}`)
    const all = await render(tools.helm[0]!, { values: [MINIMAL], set: [...set, 'setup.mode=hook'] })
    const secretOf = (name: string) => {
      const { spec } = podsOf(all).find(({ owner }) => owner.endsWith(name))!
      return /"name":"([^"]*)","items":\[\{"key":"database-url"|"key":"database-url"[^}]*\}\],"name":"([^"]*)"/
        .exec(JSON.stringify(spec))
        ?.slice(1)
        .find(Boolean)
    }
    const names = ['-registry', '-monitor', '-replayer', '-setup'].map(secretOf)
    expect(names.slice(0, 2)).toEqual(['role-registry', 'role-monitor'])
    expect(names[2]).toBe(names[3])
    const refused = renderText(tools.helm[0]!, { values: [MINIMAL], set: [...set, 'setup.mode=init'] })
    await expect(refused).rejects.toThrow('database.serviceSecrets needs setup.mode hook or manual')
  })

  it('S7 lets requests out to the proxy alone, and to what is excepted from it', async () => {
    const file = join(dir, 'proxy.yaml')
    const peer = { namespaceSelector: { matchLabels: { name: 'proxies' } } }
    const proxy = { existingSecret: 'egress-proxy', except: ['10.20.0.0/16'], to: [peer], port: 8888 }
    writeFileSync(file, JSON.stringify({ egress: { ports: ['443'], proxy } }))
    const all = await render(tools.helm[0]!, { values: [MINIMAL, file] })
    const policy = all.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name.endsWith('-deliverer'))
    const { egress } = (policy as unknown as Policy).spec
    expect(egress!.slice(-2)).toEqual([
      { ports: [{ protocol: 'TCP', port: 8888 }], to: [peer] },
      { ports: [{ protocol: 'TCP', port: 443 }], to: [{ ipBlock: { cidr: '10.20.0.0/16' } }] },
    ])
    expect(JSON.stringify(egress)).not.toContain('0.0.0.0/0')
  })

  it('has no secret in it but the demonstration, which says so', () => {
    const secrets = [...objects].flatMap(([name, all]) => all.filter(({ kind }) => kind === 'Secret').map(() => name))
    expect(secrets).toEqual(['demo'])
    for (const [name, text] of texts) if (name !== 'demo') expect(text).not.toMatch(/postgres:\/\//)
    expect(texts.get('demo')).toMatch(/FOR DEMONSTRATION ONLY/)
  })

  it('gives secrets only to the services that need them', () => {
    const files = (service: string) => {
      const found = deployments(objects.get('production')!).find(({ metadata }) =>
        metadata.name.endsWith(`-${service}`),
      )!
      return JSON.stringify(found.spec.template.spec.volumes ?? [])
    }
    for (const service of SERVICES) {
      expect([service, files(service).includes('posthorn-sealing')]).toEqual([
        service,
        ['deliverer', 'ingest', 'registry'].includes(service),
      ])
      expect([service, files(service).includes('postgres-app')]).toEqual([
        service,
        ['monitor', 'registry', 'replayer'].includes(service),
      ])
    }
  })

  it('is written anew as it stands in the repository: npm run chart', async () => {
    const files = new Map([...(await chartSources()), ...(await generatedFiles(tools))])
    const old = [...files].filter(([file, text]) => readOr(file) !== text).map(([file]) => relative(ROOT, file))
    expect(old).toEqual([])
  }, 60_000)
})

interface Container {
  readonly name: string
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly resources?: { readonly limits?: object; readonly requests?: object }
  readonly [field: string]: unknown
}

interface PodSpec {
  readonly automountServiceAccountToken?: boolean
  readonly enableServiceLinks?: boolean
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly initContainers?: readonly Container[]
  readonly containers: readonly Container[]
  readonly volumes?: readonly Readonly<Record<string, unknown>>[]
  readonly [field: string]: unknown
}

interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly template: { readonly metadata: KubernetesObject['metadata']; readonly spec: PodSpec }
  }
}

interface Policy {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> }
  readonly spec: {
    readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> }
    readonly policyTypes: readonly string[]
    readonly egress?: readonly {
      readonly ports?: readonly { readonly port: unknown }[]
      readonly to?: readonly { readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] } }[]
    }[]
  }
}

function deployments(all: readonly KubernetesObject[]): Deployment[] {
  return all.filter(({ kind }) => kind === 'Deployment') as Deployment[]
}

/** Of Deployments and Jobs, and those that stand alone. */
function podsOf(all: readonly KubernetesObject[]) {
  const templates = all.filter(({ kind }) => kind === 'Deployment' || kind === 'Job') as Deployment[]
  const alone = all.filter(({ kind }) => kind === 'Pod') as (KubernetesObject & { spec: PodSpec })[]
  return [
    ...templates.map(({ metadata, spec: { template } }) => ({
      owner: metadata.name,
      labels: template.metadata.labels!,
      spec: template.spec,
    })),
    ...alone.map(({ metadata, spec }) => ({ owner: metadata.name, labels: metadata.labels!, spec })),
  ]
}

const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]

/** What the Pod Security Standard `restricted` would say, and what we add to it. */
function restrictedFaults(spec: PodSpec): string[] {
  const faults: string[] = []
  const must = (holds: boolean, what: string) => holds || faults.push(what)
  must(spec.automountServiceAccountToken === false, 'has a token')
  must(spec.enableServiceLinks === false, 'has variables of Services')
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) must(!(field in spec), field)
  const { runAsNonRoot, runAsUser, seccompProfile } = spec.securityContext
  must(runAsNonRoot === true && Number(runAsUser) > 0, 'may be root')
  must((seccompProfile as { type?: string } | undefined)?.type === 'RuntimeDefault', 'has no seccomp profile')
  for (const volume of spec.volumes ?? [])
    must(
      Object.keys(volume).every(key => key === 'name' || VOLUMES.includes(key)),
      `volume ${String(volume.name)}`,
    )
  for (const { name, securityContext: context, resources } of [...(spec.initContainers ?? []), ...spec.containers]) {
    must(context.allowPrivilegeEscalation === false, `${name} may gain privileges`)
    const { drop = [], add = [] } = (context.capabilities ?? {}) as { drop?: string[]; add?: string[] }
    must(drop.includes('ALL') && add.length === 0, `${name} has capabilities`)
    must(context.privileged !== true && context.runAsUser !== 0, `${name} is privileged`)
    must('memory' in (resources?.limits ?? {}) && 'cpu' in (resources?.requests ?? {}), `${name} has no limits`)
  }
  return faults
}

function selects(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value)
}

function byName(all: readonly KubernetesObject[]): Record<string, KubernetesObject> {
  return Object.fromEntries(all.map(object => [`${object.kind}/${object.metadata.name}`, object]))
}

interface Conformity {
  readonly resources: readonly { readonly filename: string; readonly status: string; readonly msg: string }[]
  readonly summary: { readonly valid: number }
}

/** Strict, and by the schemas in the cache alone. */
function conform(files: readonly string[]): Promise<Conformity> {
  const locations = [
    'core/{{.ResourceKind}}{{.KindSuffix}}.json',
    '{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json',
  ]
  const args = ['-strict', '-summary', '-verbose', '-output=json']
  for (const location of locations) args.push(`-schema-location=${join(tools.schemas, location)}`)
  return new Promise((resolve, reject) =>
    execFile(tools.kubeconform, [...args, ...files], { maxBuffer: 64 * 1024 * 1024 }, (_error, out, err) => {
      if (out === '') reject(new Error(err))
      else resolve(JSON.parse(out) as Conformity)
    }),
  )
}

function readOr(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { RETRY_POLICY_LIMITS } from '@posthorn/webhook'
import { stringify } from 'yaml'
import { helmTest } from '../image/helm-test.js'
import { ROOT } from '../repository.js'
import { TARGET_NAMES } from '../target-names.js'
import { ALL_APIS, CHART, render, type KubernetesObject } from './render.js'
import { builtTools } from './tools.js'

const tools = builtTools()
const suite = tools === undefined ? describe.skip : describe

/** Each knob of a service at a value that nothing else has. */
const KNOBS = {
  replicas: 7,
  resources: { requests: { cpu: '123m', memory: '234Mi' }, limits: { memory: '345Mi' } },
  rollout: { maxSurge: 3, maxUnavailable: 4 },
  pdb: { enabled: true, maxUnavailable: 5 },
  probes: {
    startup: { periodSeconds: 11, timeoutSeconds: 12, failureThreshold: 13 },
    readiness: { periodSeconds: 14, timeoutSeconds: 15, failureThreshold: 16 },
    liveness: { periodSeconds: 17, timeoutSeconds: 18, failureThreshold: 19 },
  },
  terminationGracePeriodSeconds: 91,
  topologySpreadConstraints: [{ maxSkew: 6, topologyKey: 'example.com/rack', whenUnsatisfiable: 'DoNotSchedule' }],
  affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
  nodeSelector: { 'example.com/node': 'a' },
  tolerations: [{ key: 'example.com/taint', operator: 'Exists' }],
  priorityClassName: 'high',
  annotations: { 'example.com/deployment': 'a' },
  podAnnotations: { 'example.com/pod': 'a' },
  podLabels: { 'example.com/label': 'a' },
  serviceAccountAnnotations: { 'example.com/account': 'a' },
  serviceAnnotations: { 'example.com/service': 'a' },
  env: [{ name: 'EXAMPLE', value: 'a' }],
  volumes: [{ name: 'extra', emptyDir: {} }],
  volumeMounts: [{ name: 'extra', mountPath: '/extra' }],
}
const MINIMAL = join(CHART, 'ci', 'minimal-values.yaml')

let dir: string
let all: KubernetesObject[]
let plain: KubernetesObject[]

beforeAll(async () => {
  if (!tools) return
  dir = mkdtempSync(join(tmpdir(), 'posthorn-knobs-'))
  const services = Object.fromEntries(TARGET_NAMES.map(name => [name, KNOBS]))
  const file = join(dir, 'knobs.yaml')
  writeFileSync(file, stringify({ services }))
  all = await render(tools.helm[0]!, { values: [MINIMAL, file], apis: ALL_APIS })
  plain = await render(tools.helm[0]!, { values: [MINIMAL], apis: ALL_APIS })
}, 60_000)

afterAll(() => {
  if (dir) rmSync(dir, { recursive: true, force: true })
})

const named = (kind: string, target: string, objects = all) =>
  objects.find(object => object.kind === kind && object.metadata.name === `posthorn-${target}`)!

suite('the knobs of a service', () => {
  it.each(TARGET_NAMES)('reach what they are for: %s', target => {
    const deployment = named('Deployment', target)
    const { maxSurge, maxUnavailable } = KNOBS.rollout
    expect(deployment).toMatchObject({
      metadata: { annotations: KNOBS.annotations },
      spec: {
        replicas: KNOBS.replicas,
        strategy: { rollingUpdate: { maxSurge, maxUnavailable } },
        template: {
          metadata: { annotations: KNOBS.podAnnotations, labels: KNOBS.podLabels },
          spec: {
            terminationGracePeriodSeconds: KNOBS.terminationGracePeriodSeconds,
            topologySpreadConstraints: KNOBS.topologySpreadConstraints,
            affinity: KNOBS.affinity,
            nodeSelector: KNOBS.nodeSelector,
            tolerations: KNOBS.tolerations,
            priorityClassName: KNOBS.priorityClassName,
            volumes: expect.arrayContaining(KNOBS.volumes) as unknown,
            containers: [
              {
                resources: KNOBS.resources,
                startupProbe: KNOBS.probes.startup,
                readinessProbe: KNOBS.probes.readiness,
                livenessProbe: KNOBS.probes.liveness,
                env: expect.arrayContaining(KNOBS.env) as unknown,
                volumeMounts: expect.arrayContaining(KNOBS.volumeMounts) as unknown,
              },
            ],
          },
        },
      },
    })
    expect(named('PodDisruptionBudget', target)).toMatchObject({ spec: { maxUnavailable: KNOBS.pdb.maxUnavailable } })
    expect(named('ServiceAccount', target)).toMatchObject({
      metadata: { annotations: KNOBS.serviceAccountAnnotations },
      automountServiceAccountToken: false,
    })
    const service = named('Service', target)
    if (['ingest', 'registry'].includes(target))
      expect(service).toMatchObject({ metadata: { annotations: KNOBS.serviceAnnotations } })
    else expect(service).toBeUndefined()
  })

  it('spread pods over zones and nodes and ask for no priority, unless told otherwise', () => {
    for (const target of TARGET_NAMES) {
      const { spec } = (named('Deployment', target, plain).spec as { template: { spec: Record<string, unknown> } })
        .template
      const spread = spec.topologySpreadConstraints as { topologyKey: string }[]
      expect(spread.map(({ topologyKey }) => topologyKey)).toEqual([
        'topology.kubernetes.io/zone',
        'kubernetes.io/hostname',
      ])
      expect(spec).not.toHaveProperty('priorityClassName')
    }
  })
})

suite('the end of a pod', () => {
  const constant = (file: string, name: string) =>
    Number(new RegExp(`${name} = ([\\d_]+)`).exec(readFileSync(join(ROOT, file), 'utf8'))![1]!.replaceAll('_', ''))

  it('leaves time for the longest request that a webhook may ask for, and then for the rest', () => {
    const [, longest] = RETRY_POLICY_LIMITS.timeoutMs
    const finish = constant('apps/deliverer/src/service.ts', 'FINISH_MS')
    const stop = constant('libs/process/src/run.ts', 'STOP_TIMEOUT_MS')
    for (const target of TARGET_NAMES) {
      const { spec } = (named('Deployment', target, plain).spec as { template: { spec: Record<string, unknown> } })
        .template
      const steps = [longest, finish, stop, Number(spec.terminationGracePeriodSeconds) * 1000]
      expect([target, ...steps]).toEqual([target, ...steps.toSorted((a, b) => a - b)])
      expect(new Set(steps).size).toBe(steps.length)
    }
  })
})

suite('autoscaling', () => {
  it('goes by the age of work and by requests, and never by the lag of a topic', async () => {
    const keda = await render(tools!.helm[0]!, { values: [join(CHART, 'ci', 'keda-values.yaml')], apis: ALL_APIS })
    const triggers = new Map(
      keda
        .filter(({ kind }) => kind === 'ScaledObject')
        .map(({ metadata, spec }) => [metadata.name.replace('posthorn-', ''), (spec as Scaled).triggers]),
    )
    const queriesOf = (target: string) =>
      triggers
        .get(target)!
        .map(({ metadata }) => metadata.query ?? '')
        .join('\n')
    expect(queriesOf('deliverer')).toMatch(/posthorn_deliverer_wait_seconds[^]*posthorn_deliverer_in_flight/)
    expect(queriesOf('retry-scheduler')).toBe('max(posthorn_retry_scheduler_overdue_oldest_seconds)')
    for (const each of triggers.values()) for (const { type } of each) expect(['cpu', 'prometheus']).toContain(type)
  })

  interface Scaled {
    readonly triggers: readonly { readonly type: string; readonly metadata: { readonly query?: string } }[]
  }
})

suite('helm test', () => {
  it('runs what the check of the image runs, with variables that the command line reads', () => {
    const pod = named('Pod', 'test', plain).spec as {
      containers: readonly [
        { command: string[]; args: string[]; env: { name: string }[]; ports: { containerPort: number }[] },
      ]
    }
    const [{ command, args, env, ports }] = pod.containers
    expect([...command, ...args]).toEqual(helmTest('$(POD_ADDRESS)', String(ports[0]!.containerPort)))
    const code = ['admin/connection.ts', 'client-tls.ts'].map(file =>
      readFileSync(join(ROOT, 'apps/cli/src', file), 'utf8'),
    )
    for (const { name } of env.filter(each => each.name !== 'POD_ADDRESS')) expect(code.join()).toContain(name)
  })
})

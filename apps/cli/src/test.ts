import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePorts, startKafka, startPostgres, step } from '@posthorn/embedded'
import { repairKafkajs } from '@posthorn/kafka'
import { NoGo } from './chart/go.js'
import { buildTools } from './chart/tools.js'
import { CHECKS, failureOf } from './checks.js'
import type { CommandContext } from './command.js'
import { runJest, withoutPosthorn } from './jest-run.js'
import { buildPromtool } from './grafana/promtool.js'
import { CACHE_DIR } from './local-plan.js'
import { smokeFresh } from './smoke.js'
import { exitStatus, lastLine, NOTHING, sum, type Tally } from './tally.js'

/** Everything, going on after a failure; with patterns only Jest on the files that match. */
export async function run(args: readonly string[], context: CommandContext): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true })
  const everything = positionals.length === 0
  const tallies: Tally[] = []
  if (everything)
    for (const check of CHECKS) tallies.push(await one(check.name, () => failureOf(check, context.stop), context))
  for (const { name, specs, build, unchecked } of BUILT_TOOLS)
    if (everything || positionals.some(pattern => specs.includes(pattern)))
      tallies.push(await one(name, () => builtTools(build, unchecked, context), context))
  tallies.push(await jestWithServers(positionals, context))
  if (everything) tallies.push(await one('smoke', () => smokeFailure(context), context))
  context.stop.throwIfAborted()
  const total = sum(...tallies)
  for (const failure of total.failures) context.say(`failed: ${failure}`)
  console.log(lastLine(total))
  return exitStatus(total)
}

const CHART_SPECS = ['chart', 'knobs', 'settings', 'setup-and-notes']
  .map(name => `apps/cli/src/chart/${name}.spec.ts`)
  .join(' ')

/** Built before Jest, which may not take that long. */
const BUILT_TOOLS = [
  {
    name: 'tools of the chart',
    specs: CHART_SPECS,
    build: buildTools,
    unchecked: 'THE CHART IS NOT CHECKED',
  },
  {
    name: 'promtool',
    specs: 'apps/cli/src/grafana/alerts.spec.ts',
    build: buildPromtool,
    unchecked: 'THE ALERT RULES ARE NOT CHECKED',
  },
] as const

/** Without Go the tests that need them are skipped, and say so. */
async function builtTools(
  build: (say: CommandContext['say']) => Promise<unknown>,
  unchecked: string,
  { say }: CommandContext,
): Promise<string | undefined> {
  try {
    await build(say)
    return undefined
  } catch (error) {
    const { message } = error as Error
    if (!(error instanceof NoGo)) return message
    say(`*** ${unchecked}. ${message} ***`)
    return undefined
  }
}

async function one(name: string, check: () => Promise<string | undefined>, { stop, say }: CommandContext) {
  stop.throwIfAborted()
  const started = performance.now()
  const failure = await check()
  say(
    `${name}: ${failure === undefined ? 'passed' : 'failed'} (${((performance.now() - started) / 1000).toFixed(1)} s)`,
  )
  if (failure === undefined) return { ...NOTHING, passed: 1 }
  say(failure)
  return { ...NOTHING, failures: [name] }
}

async function smokeFailure({ stop, say }: CommandContext): Promise<string | undefined> {
  try {
    await smokeFresh(withoutPosthorn(process.env), { stop, say })
    return undefined
  } catch (error) {
    return String((error as Error).stack)
  }
}

async function jestWithServers(patterns: readonly string[], context: CommandContext): Promise<Tally> {
  const dir = mkdtempSync(join(tmpdir(), 'posthorn-test-'))
  // As root, Postgres runs as another user, who has to pass.
  chmodSync(dir, 0o755)
  const report = join(dir, 'jest.json')
  const given = serversOf(process.env)
  try {
    if (given !== undefined) return await jestOn(given)
    return await withServers(dir, context, jestOn)
  } catch (error) {
    context.stop.throwIfAborted()
    context.say((error as Error).message)
    return { ...NOTHING, failures: ['jest: the servers for the tests did not start'] }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }

  function jestOn({ brokers, databaseUrl }: TestServers): Promise<Tally> {
    const env = { POSTHORN_TEST_KAFKA_BROKERS: brokers, POSTHORN_TEST_DATABASE_URL: databaseUrl }
    return runJest(patterns, env, report, context.stop)
  }
}

interface TestServers {
  readonly brokers: string
  readonly databaseUrl: string
}

/** Servers that are already there save their start while working on a few files. */
function serversOf(env: NodeJS.ProcessEnv): TestServers | undefined {
  const brokers = env.POSTHORN_TEST_KAFKA_BROKERS
  const databaseUrl = env.POSTHORN_TEST_DATABASE_URL
  return brokers && databaseUrl ? { brokers, databaseUrl } : undefined
}

async function withServers<T>(dir: string, { stop, say }: CommandContext, use: (servers: TestServers) => Promise<T>) {
  repairKafkajs()
  const [port, controllerPort, postgresPort] = (await freePorts(3)) as [number, number, number]
  const cacheDir = CACHE_DIR
  const onProgress = say
  const starting = [
    // Nobody kills it, and the machine is busy.
    startKafka({ dir, cacheDir, port, controllerPort, sessionMs: 60_000, onProgress }),
    // The data is thrown away: no need to wait for the disk.
    startPostgres({ dir, port: postgresPort, settings: { fsync: 'off' }, onProgress }),
  ] as const
  try {
    const [kafka, postgres] = await Promise.all(starting)
    stop.throwIfAborted()
    return await use({ brokers: kafka.brokers, databaseUrl: postgres.url })
  } finally {
    await step(say, 'Stopping the servers of the tests', async () => {
      const started = await Promise.allSettled(starting)
      await Promise.all(started.map(async server => server.status === 'fulfilled' && server.value.stop()))
    })
  }
}

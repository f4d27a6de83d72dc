import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { SCENARIOS, type Scenario } from './scenarios.js'

function usage(): string {
  const lines = Object.entries(SCENARIOS).map(([name, { what, numbers, payload }]) => {
    const options = Object.entries(numbers).map(([option, { otherwise }]) => `--${option} ${otherwise}`)
    return `  ${name.padEnd(11)}  ${what}\n${' '.repeat(15)}${[...options, ...(payload ? ['--payload 1k|github'] : [])].join('  ')}`
  })
  return `usage: npm run bench -- <scenario> [options]

${lines.join('\n')}

The numbers are what is taken unless set. Each but matching, which is a part of the router alone, starts a
platform of its own on free ports: services as separate processes, a real Kafka and a real Postgres;
producer and receiver stand outside. Everything shares this machine.`
}

function read(args: string[]): () => Promise<void> | void {
  const [name, ...rest] = args
  const scenario = SCENARIOS[name ?? '']
  if (name === undefined || scenario === undefined)
    throw new Error(name === undefined ? 'name a scenario' : `"${name}" is not a scenario`)
  const { values } = parseArgs({ args: rest, options: textOptions(scenario) })
  const numbers = Object.entries(scenario.numbers).map(([option, { least, otherwise }]) => {
    const value = values[option] === undefined ? otherwise : Number(values[option])
    if (!Number.isInteger(value) || value < least)
      throw new Error(`--${option} must be a whole number of at least ${least}`)
    return [option, value]
  })
  const payload = String(values.payload ?? '1k')
  if (payload !== '1k' && payload !== 'github') throw new Error('--payload must be 1k or github')
  return () => scenario.run(Object.fromEntries(numbers) as Record<string, number>, payload)
}

function textOptions({ numbers, payload }: Scenario) {
  const names = [...Object.keys(numbers), ...(payload ? ['payload'] : [])]
  return Object.fromEntries(names.map(name => [name, { type: 'string' as const }]))
}

async function main(): Promise<void> {
  let chosen: ReturnType<typeof read>
  try {
    chosen = read(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage()}`)
    process.exitCode = 2
    return
  }
  console.log(
    `machine: ${cpus().length} cores (${cpus()[0]?.model}), ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.version}`,
  )
  await chosen()
}

await main()

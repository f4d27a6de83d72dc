import { parseArgs } from 'node:util'
import type { CommandContext } from './command.js'
import { planLocal } from './local-plan.js'
import { Stack } from './stack.js'

export async function run(args: readonly string[], context: CommandContext): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean', default: false }, processes: { type: 'boolean', default: false } },
  })
  const plan = await planLocal(process.env)
  const stack = await Stack.start(plan, { processes: values.processes, receiver: false }, context)
  if (values.json) console.log(JSON.stringify(stack.info))
  else context.say(describe(stack))
  await untilAborted(context.stop)
  await stack.stop()
  return 0
}

function describe({ info }: Stack): string {
  return [
    'Posthorn is ready.',
    `  REST API  ${info.api}`,
    `  publish   ${info.publish}/v1/publish`,
    `  gRPC      ${info.grpc}`,
    `  Kafka     ${info.kafka}`,
    `  Postgres  ${info.postgres}`,
    `  key       ${info.key}`,
    'Ctrl-C stops it.',
  ].join('\n')
}

export function untilAborted(stop: AbortSignal): Promise<void> {
  // A signal alone does not keep the process alive.
  const alive = setInterval(() => undefined, 60_000)
  return new Promise(resolve => {
    const done = () => {
      clearInterval(alive)
      resolve()
    }
    if (stop.aborted) done()
    else stop.addEventListener('abort', done, { once: true })
  })
}

import { parseArgs } from 'node:util'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, type TopicPlan } from '@posthorn/kafka'
import { createLogger } from '@posthorn/telemetry'
import type { CommandContext } from './command.js'
import { checkedSettings, embeddedDir, planLocal } from './local-plan.js'
import { RunFiles } from './run-file.js'

export async function run(args: readonly string[], { say }: CommandContext): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { apply: { type: 'boolean', default: false }, 'add-partitions': { type: 'boolean', default: false } },
  })
  const connection = await connect()
  let plan = await planTopics(connection)
  if (values.apply && !fits(plan)) {
    print(plan, connection)
    await createTopics(connection, plan, { addPartitions: values['add-partitions'] })
    plan = await planTopics(connection)
    say(fits(plan) ? 'Applied.' : 'Applied; what is left:')
  }
  print(plan, connection)
  if (fits(plan)) say('The topics are as the services want them.')
  return fits(plan) ? 0 : 1
}

/** The cluster of the environment, else of the stack that runs here. */
async function connect(): Promise<KafkaConnection> {
  const { env } = await planLocal(process.env)
  const running = new RunFiles(embeddedDir(process.env)).running()
  const brokers = env.POSTHORN_KAFKA_BROKERS || running?.kafka
  const settings = checkedSettings({ ...env, ...(brokers === undefined ? {} : { POSTHORN_KAFKA_BROKERS: brokers }) })
  return new KafkaConnection(kafkaOptionsFrom(settings, createLogger('error', 'posthorn-topics'), 'topics'))
}

function fits({ missing, differences }: TopicPlan): boolean {
  return missing.length === 0 && differences.length === 0
}

function print({ missing, differences }: TopicPlan, connection: KafkaConnection): void {
  for (const topic of missing) console.log(`${connection.topic(topic)} is missing.`)
  for (const { sentence } of differences) console.log(sentence)
}

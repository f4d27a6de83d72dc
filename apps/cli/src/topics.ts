import { parseArgs } from 'node:util'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, type TopicPlan } from '@posthorn/kafka'
import { createLogger } from '@posthorn/telemetry'
import type { CommandContext } from './command.js'
import { settingsHere } from './settings-here.js'

export async function run(args: readonly string[], { say }: CommandContext): Promise<number> {
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({ args: [...args], options: { apply: flag, 'add-partitions': flag, json: flag } })
  const print = values.json ? printJson : printText
  const settings = settingsHere(process.env)
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, createLogger('error', 'posthorn-topics'), 'topics'))
  let plan = await planTopics(connection)
  if (values.apply && !fits(plan)) {
    // A program gets one document: how it is in the end.
    if (!values.json) printText(plan, connection)
    await createTopics(connection, plan, { addPartitions: values['add-partitions'] })
    plan = await planTopics(connection)
    say(fits(plan) ? 'Applied.' : 'Applied; what is left:')
  }
  print(plan, connection)
  if (fits(plan)) say('The topics are as the services want them.')
  return fits(plan) ? 0 : 1
}

function fits({ missing, differences }: TopicPlan): boolean {
  return missing.length === 0 && differences.length === 0
}

function printText({ missing, differences }: TopicPlan, connection: KafkaConnection): void {
  for (const topic of missing) console.log(`${connection.topic(topic)} is missing.`)
  for (const { sentence } of differences) console.log(sentence)
}

function printJson({ missing, differences }: TopicPlan, connection: KafkaConnection): void {
  const names = missing.map(topic => connection.topic(topic))
  const different = differences.map(({ topic, kind, sentence }) => ({ topic: connection.topic(topic), kind, sentence }))
  console.log(JSON.stringify({ missing: names, differences: different }))
}

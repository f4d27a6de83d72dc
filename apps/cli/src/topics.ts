import { parseArgs } from 'node:util'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, type TopicPlan } from '@posthorn/kafka'
import { createLogger } from '@posthorn/telemetry'
import { aclsOf, SERVICE_ACCESS, type AclRule } from '@posthorn/topics'
import type { CommandContext } from './command.js'
import { settingsHere } from './settings-here.js'

export async function run(args: readonly string[], { say }: CommandContext): Promise<number> {
  const flag = { type: 'boolean', default: false } as const
  const options = { apply: flag, 'add-partitions': flag, acls: flag, json: flag }
  const { values } = parseArgs({ args: [...args], options })
  const print = values.json ? printJson : printText
  const settings = settingsHere(process.env)
  if (values.acls) return printAcls(settings.kafkaPrefix, values.json)
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

/** Asks no broker: who gives rights is often another than who has them. */
function printAcls(prefix: string, json: boolean): number {
  const services = Object.entries(SERVICE_ACCESS).map(([service, access]) => ({
    service,
    rules: aclsOf(access, prefix),
  }))
  if (json) console.log(JSON.stringify(services))
  else for (const { service, rules } of services) for (const rule of rules) console.log(aclCommand(service, rule))
  return 0
}

function aclCommand(service: string, { resource, pattern, names, operations }: AclRule): string {
  return [
    'kafka-acls.sh --bootstrap-server "$BROKERS" --command-config admin.properties --add',
    `--allow-principal User:posthorn-${service}`,
    ...operations.map(operation => `--operation ${operation}`),
    `--resource-pattern-type ${pattern}`,
    ...names.map(name => `--${resource} '${name}'`),
  ].join(' ')
}

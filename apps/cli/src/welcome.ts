import type { Settings } from '@posthorn/process'
import type { StackInfo } from './run-file.js'

export interface WelcomeFacts {
  readonly info: StackInfo
  readonly settings: Settings
  readonly receiverUrl: string
  readonly logFile: string
  readonly webhooks: readonly { readonly path: string; readonly events: readonly string[] }[]
  readonly seconds: number
}

/** What `npm start` prints before the first event: every line of it must be true. */
export function welcome({ info, settings, receiverUrl, logFile, webhooks, seconds }: WelcomeFacts): string {
  const rows = [
    ['REST API', `${info.api}/v1/webhooks`],
    ['publish', `${info.publish}/v1/publish`],
    ['gRPC', info.grpc],
    ['Kafka', `${info.kafka}, topic ${settings.kafkaPrefix}events.v1`],
    ['Postgres', info.postgres],
    ['health', `http://${settings.listenHost}:${settings.healthPort}/readyz`],
    ['receiver', `${receiverUrl} (GET / tells what it can do)`],
    ['logs', logFile],
    ['admin key', info.key],
  ]
  return [
    `Posthorn is ready after ${seconds.toFixed(1)} s.`,
    '',
    ...rows.map(([name, value]) => `  ${name!.padEnd(11)}${value}`),
    '',
    'Publish an event by HTTP:',
    `  ${curlLine(info)}`,
    '',
    'Or produce it to Kafka (from the root of this repository):',
    `  ${kafkaLine(info.kafka, `${settings.kafkaPrefix}events.v1`)}`,
    '',
    'Webhooks registered at the receiver:',
    ...webhooks.map(({ path, events }) => `  ${path.padEnd(16)}${events.join(', ')}`),
    '',
    'What it receives (time, answer, event type, webhook-id, signature, latency since the event); Ctrl-C stops all:',
    '',
  ].join('\n')
}

export function curlLine({ publish, key }: StackInfo): string {
  const event = JSON.stringify({ type: 'agent.message', data: { text: 'by curl' } })
  return `curl -s ${publish}/v1/publish -H 'authorization: Bearer ${key}' -H 'content-type: application/json' -d '${event}'`
}

export function kafkaLine(broker: string, topic: string): string {
  const headers =
    "{ce_specversion:'1.0',ce_id:String(Date.now()),ce_source:'/by-hand',ce_type:'agent.message',ce_time:new Date().toISOString(),'content-type':'application/json'}"
  const send = `p.send({topic:'${topic}',messages:[{headers:${headers},value:JSON.stringify({text:'by Kafka'})}]})`
  const client = `new (require('kafkajs').Kafka)({brokers:['${broker}'],logLevel:1})`
  return `node --no-warnings -e "const p=${client}.producer();p.connect().then(()=>${send}).then(()=>p.disconnect())"`
}

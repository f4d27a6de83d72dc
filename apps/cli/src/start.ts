import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { step, type Progress } from '@posthorn/embedded'
import { Kafka, logLevel, type Producer } from 'kafkajs'
import type { CommandContext } from './command.js'
import { demoEvents, kafkaMessage } from './demo-events.js'
import { DemoLines, isReceived } from './demo-lines.js'
import { DEMO_WEBHOOKS, registerDemoWebhooks } from './demo-webhooks.js'
import { planLocal, type LocalPlan } from './local-plan.js'
import { RECEIVER_MAIN } from './repository.js'
import { Stack } from './stack.js'
import { welcome } from './welcome.js'

/** The example of the Standard Webhooks specification, which the README uses too: a receiver on loopback needs no secret one. */
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
/** Quick at first, so that there is something to see; then so slow that one can read. */
const LIVELY_EVENTS = 20
const LIVELY_EVERY_MS = 250
const EVERY_MS = 500

export async function run(args: readonly string[], context: CommandContext): Promise<number> {
  parseArgs({ args: [...args], options: {} })
  const { say, stop } = context
  const started = performance.now()
  const plan = await planLocal(process.env)
  mkdirSync(plan.dir, { recursive: true })
  const logFile = join(plan.dir, 'services.log')
  const stack = await Stack.start(plan, { processes: false, receiver: true, logFile }, context)
  try {
    const secret = (process.env.POSTHORN_RECEIVER_SECRET || SECRET).split(',')[0]!
    await startReceiver(stack, plan, secret)
    const receiverUrl = `http://127.0.0.1:${plan.receiverPort}`
    const register = () => registerDemoWebhooks(stack.info, receiverUrl, secret)
    await step(say, 'Registering webhooks', register)
    const seconds = (performance.now() - started) / 1000
    console.log(
      welcome({ info: stack.info, settings: stack.settings, receiverUrl, logFile, webhooks: DEMO_WEBHOOKS, seconds }),
    )
    await produceForEver(stack.info.kafka, `${stack.settings.kafkaPrefix}events.v1`, say, stop)
  } finally {
    say('Stopping …')
    await stack.stop()
  }
  say('Stopped.')
  return 0
}

async function startReceiver(stack: Stack, plan: LocalPlan, secret: string): Promise<void> {
  const folder = join(plan.dir, 'receiver')
  // Of this demonstration only: it would grow with every start.
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const lines = new DemoLines()
  await stack.run({
    name: 'receiver',
    args: [RECEIVER_MAIN],
    env: {
      ...process.env,
      POSTHORN_RECEIVER_PORT: String(plan.receiverPort),
      POSTHORN_RECEIVER_SECRET: process.env.POSTHORN_RECEIVER_SECRET || secret,
      POSTHORN_RECEIVER_DIR: folder,
    },
    readyIn: message => {
      const { kind, url } = message as { kind?: unknown; url?: string }
      return kind === 'listening' ? { 'receiver.http': `${url}` } : undefined
    },
    onMessage: message => {
      if (isReceived(message)) console.log(lines.line(message, new Date()))
    },
  })
}

async function produceForEver(broker: string, topic: string, say: Progress, stop: AbortSignal): Promise<void> {
  // As plain as a producer of the user's own.
  const producer = new Kafka({ brokers: [broker], clientId: 'demo', logLevel: logLevel.NOTHING }).producer()
  try {
    let produced = 0
    for (const event of demoEvents()) {
      if (stop.aborted) return
      await produce(producer, topic, kafkaMessage(event, new Date()), say)
      produced += 1
      await sleep(produced < LIVELY_EVENTS ? LIVELY_EVERY_MS : EVERY_MS, undefined, { signal: stop }).catch(
        () => undefined,
      )
    }
  } finally {
    await producer.disconnect().catch(() => undefined)
  }
}

/** Kafka may be away for a while: the demonstration goes on when it is back. */
async function produce(producer: Producer, topic: string, message: ReturnType<typeof kafkaMessage>, say: Progress) {
  try {
    await producer.connect()
    await producer.send({ topic, messages: [message] })
  } catch (error) {
    say(`An event could not be produced: ${(error as Error).message}`)
  }
}

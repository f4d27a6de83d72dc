import { connect } from 'node:net'
import { KafkaAccessRefused, KafkaConnection, kafkaOptionsFrom, planTopics, type TopicPlan } from '@posthorn/kafka'
import type { Settings } from '@posthorn/process'
import { createLogger } from '@posthorn/telemetry'
import { ALL_TOPICS } from '@posthorn/topics'
import { fail, ok, reasonOf, warn, type Finding } from './check.js'

const SHOWN = 5
const CONNECT_MS = 3_000
/** Also within a busy cluster no record is this far ahead of a clock that is right. */
const AHEAD_MS = 5_000

/** Whether the brokers answer, hold the topics as the services want them, and share our time. */
export async function kafkaChecks(settings: Settings): Promise<Finding[]> {
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, createLogger('silent', 'doctor'), 'doctor'))
  let plan: TopicPlan
  let brokers: number
  try {
    brokers = await connection.withAdmin(async admin => (await admin.describeCluster()).brokers.length)
    plan = await planTopics(connection)
  } catch (error) {
    return [unreachable(settings, error)]
  } finally {
    connection.close()
  }
  return [
    brokersFinding(settings, brokers),
    ...(await addressChecks(settings)),
    topicsFinding(plan, connection),
    await clock(connection, plan),
  ]
}

function unreachable({ kafkaBrokers }: Settings, error: unknown): Finding {
  const advice =
    error instanceof KafkaAccessRefused
      ? 'Correct the login or the rights that the message names (docs/kafka.md).'
      : 'Check that Kafka runs, and POSTHORN_KAFKA_BROKERS and the other POSTHORN_KAFKA_ settings (docs/kafka.md).'
  return fail('kafka.brokers', `Kafka at ${kafkaBrokers.join(', ')} does not answer: ${reasonOf(error)}.`, advice)
}

function brokersFinding({ kafkaReplication }: Settings, brokers: number): Finding {
  const says = `${brokers} ${brokers === 1 ? 'broker answers' : 'brokers answer'}.`
  if (kafkaReplication <= brokers) return ok('kafka.brokers', says)
  const more = `${says} ${kafkaReplication} replicas of each topic are wanted.`
  return fail('kafka.brokers', more, 'Add brokers, or set POSTHORN_KAFKA_REPLICATION to what there is.')
}

/** Of several addresses to start from one is enough, which hides those that are wrong until it is away. */
async function addressChecks({ kafkaBrokers }: Settings): Promise<Finding[]> {
  if (kafkaBrokers.length < 2) return []
  const name = 'kafka.addresses'
  const silent = (await Promise.all(kafkaBrokers.map(async each => ((await listens(each)) ? [] : [each])))).flat()
  if (silent.length === 0) return [ok(name, `All ${kafkaBrokers.length} addresses of POSTHORN_KAFKA_BROKERS answer.`)]
  const says = `Of POSTHORN_KAFKA_BROKERS ${silent.join(', ')} cannot be connected to.`
  return [warn(name, says, 'Start those brokers, or correct the addresses.')]
}

function listens(address: string): Promise<boolean> {
  const colon = address.lastIndexOf(':')
  const socket = connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)) })
  return new Promise<boolean>(resolve => {
    socket.setTimeout(CONNECT_MS, () => resolve(false))
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  }).finally(() => socket.destroy())
}

/** Partitions, retention, compaction and the other settings of each topic. */
function topicsFinding({ missing, differences }: TopicPlan, connection: KafkaConnection): Finding {
  const name = 'kafka.topics'
  if (missing.length === 0 && differences.length === 0)
    return ok(name, `All ${ALL_TOPICS.length} topics under "${connection.prefix}" are as the services want them.`)
  const all = [
    ...missing.map(topic => `${connection.topic(topic)} is missing.`),
    ...differences.map(({ sentence }) => sentence),
  ]
  const more = all.length > SHOWN ? ` And ${all.length - SHOWN} more.` : ''
  const partitions = differences.some(({ kind }) => kind === 'partitions')
  return fail(
    name,
    all.slice(0, SHOWN).join(' ') + more,
    `Run posthorn topics --apply${partitions ? ', with --add-partitions where there are too few' : ''}.`,
  )
}

/**
 * Kafka tells no time but that of its records: one that was appended in our future shows a broker
 * that is ahead, or us behind. A broker that is behind shows in nothing that can be read.
 */
async function clock(connection: KafkaConnection, { missing }: TopicPlan): Promise<Finding> {
  const name = 'clock.kafka'
  try {
    const ahead = await connection.withAdmin(async admin => {
      const soon = Date.now() + AHEAD_MS
      const topics = ALL_TOPICS.filter(topic => !missing.includes(topic)).map(topic => connection.topic(topic))
      const found = await Promise.all(
        topics.map(async topic => {
          const [ends, later] = [
            await admin.fetchTopicOffsets(topic),
            await admin.fetchTopicOffsetsByTimestamp(topic, soon),
          ]
          return later.some(({ partition, offset }) => {
            const end = ends.find(each => each.partition === partition)
            return end !== undefined && BigInt(offset) < BigInt(end.high)
          })
        }),
      )
      return topics.filter((_, index) => found[index])
    })
    if (ahead.length === 0) return ok(name, 'No record on the topics is from our future.')
    const says = `${ahead.join(', ')}: records more than ${AHEAD_MS / 1000} s from our future.`
    return warn(name, says, 'Set the clocks of brokers and this machine by NTP.')
  } catch (error) {
    return warn(name, `The times of records could not be read: ${reasonOf(error)}.`, 'Run it again.')
  }
}

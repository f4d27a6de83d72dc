import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Listeners beside the plain one, for clients that log in or show a certificate. All PEM; keys in PKCS 8. */
export interface SecuredListeners {
  /** TLS and a login by PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. */
  readonly saslPort: number
  /** TLS with a client certificate. */
  readonly mutualTlsPort: number
  /** Passwords by user. They may do what ACLs allow; who comes by the plain port may do everything. */
  readonly users: Readonly<Record<string, string>>
  /** The CA of the clients' certificates. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** One of the processes that make the cluster: broker and controller in one. */
export interface Node {
  readonly id: number
  readonly port: number
  readonly controllerPort: number
  /** One more listener, and the port at which clients that come by it are told that it is. */
  readonly detour?: { readonly port: number; readonly advertised: number } | undefined
}

export interface BrokerConfiguration {
  /** `data`, `server.properties` and the log stand here. */
  readonly home: string
  readonly node: Node
  /** All nodes, this one among them. */
  readonly nodes: readonly Node[]
  readonly secured?: SecuredListeners | undefined
  /** Of the broker with its controller. */
  readonly sessionMs?: number | undefined
}

/**
 * The controllers are named as static voters and not by --standalone: the latter writes its port
 * into the data, and the folder would then only start on the same ports.
 */
export function writeConfiguration(configuration: BrokerConfiguration): void {
  const { home, secured } = configuration
  mkdirSync(home, { recursive: true })
  const properties = {
    ...nodeProperties(configuration),
    ...replicationProperties(configuration.nodes.length),
    ...(secured ? securedProperties(secured) : {}),
  }
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(join(home, 'server.properties'), lines.join(''))
  writeFileSync(join(home, 'log4j2.yaml'), LOGGING)
}

/** What the formatting of the data folder has to be told, too: SCRAM users live in the data. */
export function formatArguments({ secured }: BrokerConfiguration): string[] {
  return Object.entries(secured?.users ?? {}).flatMap(([name, password]) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(mechanism => [
      '--add-scram',
      `${mechanism}=[name=${name},password=${password}]`,
    ]),
  )
}

function nodeProperties({
  home,
  node,
  nodes,
  secured,
  sessionMs = 2000,
}: BrokerConfiguration): Record<string, string | number | boolean> {
  const listenersAt = (detour: 'port' | 'advertised') =>
    [
      `PLAINTEXT://127.0.0.1:${node.port}`,
      ...(node.detour ? [`DETOUR://127.0.0.1:${node.detour[detour]}`] : []),
      ...(secured ? [`SASL_SSL://127.0.0.1:${secured.saslPort}`, `SSL://127.0.0.1:${secured.mutualTlsPort}`] : []),
    ].join(',')
  return {
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.quorum.voters': nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(','),
    listeners: `${listenersAt('port')},CONTROLLER://127.0.0.1:${node.controllerPort}`,
    'advertised.listeners': listenersAt('advertised'),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map':
      'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,DETOUR:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL',
    'log.dirs': join(home, 'data'),
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': false,
    'num.network.threads': 2,
    'num.io.threads': 4,
    // The default of 128 MB does not fit into the heap.
    'log.cleaner.dedupe.buffer.size': 8_388_608,
    'log.segment.bytes': 67_108_864,
    // After kill -9 a restart then takes 5 s instead of 13 s.
    'broker.session.timeout.ms': sessionMs,
    'broker.heartbeat.interval.ms': 400,
  }
}

/** The topics of Kafka itself are on all nodes, with few partitions: they are made at the first use. */
function replicationProperties(nodes: number): Record<string, number> {
  const inSync = nodes > 1 ? 2 : 1
  return {
    'default.replication.factor': nodes,
    'min.insync.replicas': inSync,
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': nodes,
    'transaction.state.log.num.partitions': 1,
    'transaction.state.log.replication.factor': nodes,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': nodes,
    'share.coordinator.state.topic.min.isr': inSync,
    ...(nodes > 1 ? QUICK_ELECTIONS : {}),
  }
}

/** A killed broker is missed within 3 s. */
const QUICK_ELECTIONS = {
  'controller.quorum.election.timeout.ms': 500,
  'controller.quorum.fetch.timeout.ms': 1000,
  'replica.lag.time.max.ms': 5000,
  'leader.imbalance.check.interval.seconds': 5,
}

function securedProperties({ users, ca, cert, key }: SecuredListeners): Record<string, string> {
  const inOneLine = (pem: string) => pem.trim().replaceAll('\n', '\\n')
  const logins = Object.entries(users).map(([name, password]) => ` user_${name}="${password}"`)
  const security = 'org.apache.kafka.common.security'
  const sasl = 'listener.name.sasl_ssl'
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.certificate.chain': inOneLine(cert),
    'ssl.keystore.key': inOneLine(key),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.certificates': inOneLine(ca),
    'listener.name.ssl.ssl.client.auth': 'required',
    [`${sasl}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    [`${sasl}.plain.sasl.jaas.config`]: `${security}.plain.PlainLoginModule required${logins.join('')};`,
    [`${sasl}.scram-sha-256.sasl.jaas.config`]: `${security}.scram.ScramLoginModule required;`,
    [`${sasl}.scram-sha-512.sasl.jaas.config`]: `${security}.scram.ScramLoginModule required;`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  }
}

const LOGGING = `Configuration:
  status: "off"
  Appenders:
    Console: { name: C, target: SYSTEM_ERR, PatternLayout: { pattern: "%d{ISO8601} %p %c{1} %m%n" } }
  Loggers:
    Root: { level: "ERROR", AppenderRef: { ref: C } }
`

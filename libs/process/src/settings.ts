/* oxlint-disable max-lines */
// Longer than files are here: every setting is in one list, in the order of the configuration page.
import 'reflect-metadata'
import {
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateBy,
} from 'class-validator'
import { LOG_LEVELS, type LogLevel } from '@posthorn/telemetry'
import { TLS_VERSIONS, type AlertConfiguration, type TlsVersion } from '@posthorn/webhook'
import {
  KAFKA_COMPRESSIONS,
  SASL_MECHANISMS,
  type KafkaCompression,
  type KafkaSecurity,
  type SaslMechanism,
} from './kafka-security.js'
import { isAddressOrRange, list, number, port, Setting } from './setting.js'

/** Everything that can be set, read from the environment once at start and nowhere else. */
export class Settings {
  @Setting('KAFKA_BROKERS', '127.0.0.1:9092', 'Brokers to start from, host:port, comma-separated.')
  @list()
  @Matches(/^[^\s:]+:\d{1,5}$/, { each: true, message: 'each must be host:port' })
  kafkaBrokers: string[] = ['127.0.0.1:9092']

  @Setting('KAFKA_PREFIX', 'posthorn.', 'What the names of all topics and consumer groups start with.')
  @Matches(/^[A-Za-z0-9._-]{0,64}$/, { message: 'must be at most 64 characters of A-Z a-z 0-9 . _ -' })
  kafkaPrefix = 'posthorn.'

  @Setting(
    'KAFKA_PARTITIONS',
    '12',
    'Partitions of each work topic. Growing it later moves webhooks between partitions.',
  )
  @number()
  @IsInt()
  @Min(1)
  @Max(1000)
  kafkaPartitions = 12

  @Setting('KAFKA_REPLICATION', '1', 'Replicas of each topic: 3 in production (min.insync.replicas is then 2).')
  @number()
  @IsInt()
  @Min(1)
  @Max(7)
  kafkaReplication = 1

  @Setting(
    'KAFKA_COMPRESSION',
    'none',
    `What is produced is compressed by: ${KAFKA_COMPRESSIONS.join(', ')}. All are read, whatever is set.`,
  )
  @IsIn(KAFKA_COMPRESSIONS)
  kafkaCompression: KafkaCompression = 'none'

  @Setting('KAFKA_SASL_MECHANISM', 'none', `How to log in to Kafka: ${SASL_MECHANISMS.join(', ')}.`)
  @IsOptional()
  @IsIn(SASL_MECHANISMS)
  kafkaSaslMechanism?: SaslMechanism

  @Setting('KAFKA_SASL_USERNAME', 'none', 'The user to log in as. Needed with a mechanism.')
  @IsOptional()
  @IsString()
  kafkaSaslUsername?: string

  @Setting('KAFKA_SASL_PASSWORD', 'none', "The user's password. Needed with a mechanism.")
  @IsOptional()
  @IsString()
  kafkaSaslPassword?: string

  @Setting('KAFKA_TLS', 'off', 'on: connections to Kafka are encrypted and its certificate is checked.')
  @IsIn(['on', 'off'])
  kafkaTls: 'on' | 'off' = 'off'

  @Setting('KAFKA_TLS_CA_FILE', 'none', "PEM file of the CAs to trust with TLS on; without it, Node's public ones.")
  @IsOptional()
  @IsString()
  kafkaTlsCaFile?: string

  @Setting('KAFKA_TLS_CERT_FILE', 'none', 'PEM file of the certificate to show to the brokers, with its chain (mTLS).')
  @IsOptional()
  @IsString()
  kafkaTlsCertFile?: string

  @Setting('KAFKA_TLS_KEY_FILE', 'none', "PEM file of the certificate's private key, not encrypted.")
  @IsOptional()
  @IsString()
  kafkaTlsKeyFile?: string

  @Setting(
    'KAFKA_TLS_SERVER_NAME',
    'none',
    'Name that the certificates must have, where it is not the host in the address.',
  )
  @IsOptional()
  @IsString()
  kafkaTlsServerName?: string

  /** How to reach Kafka, made of the settings above and the files they name. */
  kafkaSecurity: KafkaSecurity = {}

  @Setting(
    'DATABASE_URL',
    'none',
    'Postgres, as postgres://user:password@host:port/database. Needed by registry, replayer and monitor.',
  )
  @IsOptional()
  @Matches(/^postgres(ql)?:\/\//, { message: 'must start with postgres://' })
  databaseUrl?: string

  @Setting('DATABASE_POOL', '10', 'Connections to Postgres that one process may hold.')
  @number()
  @IsInt()
  @Min(1)
  @Max(200)
  databasePool = 10

  @Setting(
    'AUTH_PLATFORM_KEY',
    'none',
    'A key of the platform for registry and ingest, 24 characters or more; without it, only keys that were made.',
  )
  @IsOptional()
  @IsString()
  @MinLength(24)
  authPlatformKey?: string

  @Setting(
    'AUTH_WRONG_KEYS_PER_MINUTE',
    '30',
    'Wrong keys that one address may try in a minute at one registry or ingest; beyond it 429. 0: no bound.',
  )
  @number()
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  authWrongKeysPerMinute = 30

  @Setting(
    'SEALING_KEYS',
    'none',
    'Master keys for secrets at rest: id:base64 of 32 bytes, comma-separated; the first one seals. Needed by registry and deliverer, by ingest for signed requests, and by the monitor for chats.',
  )
  @list()
  @Matches(/^[A-Za-z0-9_-]{1,32}:[A-Za-z0-9+/]{43}=$/, { each: true, message: 'each must be id:base64 of 32 bytes' })
  sealingKeys: string[] = []

  @Setting('EGRESS_ALLOW', 'none', 'Ranges of private addresses that webhooks may lead to, as CIDRs, comma-separated.')
  @list()
  @Matches(/^[0-9a-fA-F.:]+\/\d{1,3}$/, { each: true, message: 'each must be a CIDR such as 10.0.0.0/8' })
  egressAllow: string[] = []

  @Setting('EGRESS_DENY', 'none', 'Ranges that nothing is sent to, as CIDRs, comma-separated; beats EGRESS_ALLOW.')
  @list()
  @Matches(/^[0-9a-fA-F.:]+\/\d{1,3}$/, { each: true, message: 'each must be a CIDR such as 10.0.0.0/8' })
  egressDeny: string[] = []

  @Setting('EGRESS_PORTS', '80,443,1024-65535', 'Ports and ranges of ports that webhooks may lead to, comma-separated.')
  @list()
  @Matches(/^\d{1,5}(-\d{1,5})?$/, { each: true, message: 'each must be a port or a range such as 8000-8999' })
  egressPorts: string[] = ['80', '443', '1024-65535']

  @Setting(
    'EGRESS_MIN_TLS_VERSION',
    '1.2',
    `Lowest version of TLS that is spoken with receivers: ${TLS_VERSIONS.join(', ')}. A webhook may ask for more.`,
  )
  @IsIn(TLS_VERSIONS)
  egressMinTlsVersion: TlsVersion = '1.2'

  @Setting(
    'EGRESS_RESPONSE_BYTES',
    '16384',
    "Of a receiver's answer so much is read and kept; the rest is not read, and the connection is closed.",
  )
  @number()
  @IsInt()
  @Min(0)
  @Max(262_144)
  egressResponseBytes = 16_384

  @Setting('EGRESS_HEADER_BYTES', '16384', "Largest headers of a receiver's answer; beyond it the attempt fails.")
  @number()
  @IsInt()
  @Min(1024)
  @Max(262_144)
  egressHeaderBytes = 16_384

  @Setting('EGRESS_DNS_TIMEOUT_MS', '5000', "How long resolving a receiver's host name may take.")
  @number()
  @IsInt()
  @Min(100)
  @Max(60_000)
  egressDnsTimeoutMs = 5_000

  @Setting('EGRESS_CONNECT_TIMEOUT_MS', '5000', 'How long connecting to a receiver may take.')
  @number()
  @IsInt()
  @Min(100)
  @Max(60_000)
  egressConnectTimeoutMs = 5_000

  @Setting('EGRESS_TLS_TIMEOUT_MS', '5000', 'How long the TLS handshake with a receiver may take.')
  @number()
  @IsInt()
  @Min(100)
  @Max(60_000)
  egressTlsTimeoutMs = 5_000

  @Setting(
    'EGRESS_FIRST_BYTE_TIMEOUT_MS',
    '60000',
    'How long a receiver may take until its answer begins; the time-out of a webhook is for the whole.',
  )
  @number()
  @IsInt()
  @Min(100)
  @Max(60_000)
  egressFirstByteTimeoutMs = 60_000

  @Setting(
    'EGRESS_PROXY_URL',
    'none',
    'HTTP proxy that requests to receivers go through by CONNECT, such as http://user:password@proxy:3128 (docs/egress.md).',
  )
  @IsOptional()
  @Matches(/^http:\/\/([^\s/@:]+:[^\s/@:]*@)?([^\s/@:[\]]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?\/?$/, {
    message: 'must be http://host:port, or http://user:password@host:port with both percent-encoded',
  })
  egressProxyUrl?: string

  @Setting(
    'EGRESS_PROXY_EXCEPT',
    'none',
    'Ranges that are connected to without the proxy, as CIDRs, comma-separated: receivers of your own.',
  )
  @list()
  @Matches(/^[0-9a-fA-F.:]+\/\d{1,3}$/, { each: true, message: 'each must be a CIDR such as 10.0.0.0/8' })
  egressProxyExcept: string[] = []

  @Setting('EGRESS_CA_FILE', 'none', 'PEM file of CAs to trust in receivers beside the public ones.')
  @IsOptional()
  @IsString()
  egressCaFile?: string

  /** What stands in that file. */
  egressCa?: string

  @Setting(
    'API_PUBLIC_URL',
    'none',
    'Where receivers reach the REST API, such as https://hooks.example.com: links in thin requests start with it.',
  )
  @Matches(/^(https?:\/\/\S+)?$/, { message: 'must start with http:// or https://' })
  apiPublicUrl = ''

  @Setting(
    'SIGNATURE_HEADER_PREFIX',
    'webhook',
    'What the names of the headers -id, -timestamp and -signature start with: webhook, svix or one of your own.',
  )
  @Matches(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, { message: 'must be words of a-z 0-9, joined by -' })
  @MaxLength(32)
  signatureHeaderPrefix = 'webhook'

  @Setting(
    'TRUSTED_PROXIES',
    'none',
    'Addresses or CIDRs of proxies, comma-separated, whose X-Forwarded-For says where a request came from.',
  )
  @list()
  @ValidateBy(
    { name: 'ranges', validator: { validate: isAddressOrRange } },
    { each: true, message: 'each must be an address or a CIDR such as 10.0.0.0/8' },
  )
  trustedProxies: string[] = []

  @Setting('LISTEN_HOST', '0.0.0.0', 'Address that all servers of this process listen on.')
  @IsString()
  listenHost = '0.0.0.0'

  @Setting(
    'TLS_CERT_FILE',
    'none',
    'PEM file of the certificate of registry and ingest, with its chain: REST and gRPC are then served over TLS alone.',
  )
  @IsOptional()
  @IsString()
  tlsCertFile?: string

  @Setting('TLS_KEY_FILE', 'none', "PEM file of the certificate's private key, not encrypted.")
  @IsOptional()
  @IsString()
  tlsKeyFile?: string

  @Setting(
    'TLS_CLIENT_CA_FILE',
    'none',
    'PEM file of CAs: only clients with a certificate of theirs are let in (mTLS).',
  )
  @IsOptional()
  @IsString()
  tlsClientCaFile?: string

  @Setting('TLS_MIN_VERSION', '1.2', `Lowest version of TLS that is spoken with clients: ${TLS_VERSIONS.join(', ')}.`)
  @IsIn(TLS_VERSIONS)
  tlsMinVersion: TlsVersion = '1.2'

  @Setting('REGISTRY_PORT', '8080', 'Port of the REST API.')
  @port()
  registryPort = 8080

  @Setting(
    'REGISTRY_RATE_PER_KEY',
    'none',
    'Requests a second that one key may send to one registry, twice as many at once; beyond it 429.',
  )
  @IsOptional()
  @number()
  @IsInt()
  @Min(1)
  @Max(100_000)
  registryRatePerKey?: number

  @Setting('REGISTRY_GRPC_PORT', '9090', 'Port of the gRPC API for administration.')
  @port()
  registryGrpcPort = 9090

  @Setting('INGEST_PORT', '8081', 'Port of POST /v1/publish.')
  @port()
  ingestPort = 8081

  @Setting('INGEST_GRPC_PORT', '9091', 'Port of publishing over gRPC.')
  @port()
  ingestGrpcPort = 9091

  @Setting('INGEST_MAX_EVENT_BYTES', '262144', 'Largest data of one event, up to 921600.')
  @number()
  @IsInt()
  @Min(1024)
  @Max(921_600)
  ingestMaxEventBytes = 262_144

  @Setting(
    'INGEST_DEFAULT_TENANT',
    'default',
    'Tenant of Kafka records without ce_tenant; empty: such records go to poison.',
  )
  @Matches(/^([A-Za-z0-9][A-Za-z0-9_-]{0,63})?$/, { message: 'must be a tenant id, or empty' })
  ingestDefaultTenant = 'default'

  @Setting('INGEST_SOURCES', 'none', 'Topics of your own to read, as a JSON array (docs/sources.md).')
  @IsOptional()
  @IsString()
  ingestSources?: string

  @Setting('INGEST_SOURCES_FILE', 'none', 'The same, in a JSON file.')
  @IsOptional()
  @IsString()
  ingestSourcesFile?: string

  @Setting('INGEST_SOURCES_REFRESH_MS', '10000', 'How often new topics, new partitions and the lag are looked up.')
  @number()
  @IsInt()
  @Min(100)
  @Max(3_600_000)
  ingestSourcesRefreshMs = 10_000

  @Setting('HEALTH_PORT', '8090', 'Port of /livez, /readyz, /startupz and /metrics.')
  @port()
  healthPort = 8090

  @Setting('DELIVERER_SOCKETS', '1024', 'Requests that one deliverer may have open at once.')
  @number()
  @IsInt()
  @Min(1)
  @Max(65_536)
  delivererSockets = 1024

  @Setting('DELIVERER_WEBHOOK_CONCURRENCY', '64', 'Requests that one webhook may have open at once in one deliverer.')
  @number()
  @IsInt()
  @Min(1)
  @Max(4096)
  delivererWebhookConcurrency = 64

  @Setting(
    'DELIVERER_QUEUE_BYTES',
    '67108864',
    'Of unfinished records in one deliverer, with 1,700 bytes each for objects; near it, it reads no more. One webhook has half.',
  )
  @number()
  @IsInt()
  @Min(8_388_608)
  @Max(8_589_934_592)
  delivererQueueBytes = 67_108_864

  @Setting(
    'DELIVERER_LOG_DELIVERED',
    '0',
    'Share of delivered attempts that are logged at level info, 0 to 1; the others are at debug, failures always at info.',
  )
  @number()
  @IsNumber()
  @Min(0)
  @Max(1)
  delivererLogDelivered = 0

  @Setting('MONITOR_RETENTION_DAYS', '14', 'Days that history of events, deliveries and attempts is kept in Postgres.')
  @number()
  @IsInt()
  @Min(1)
  @Max(365)
  monitorRetentionDays = 14

  @Setting(
    'MONITOR_ALERT_SUCCESS_RATE',
    '0.9',
    'An alert fires when a smaller share of attempts delivers, of a webhook, a tenant or all; to 0.99. 0: never.',
  )
  @number()
  @IsNumber()
  @Min(0)
  @Max(0.99)
  monitorAlertSuccessRate = 0.9

  @Setting(
    'MONITOR_ALERT_RULES',
    'none',
    'What else is to be of the built-in rules, as a JSON object by their names (docs/alerts.md).',
  )
  @IsOptional()
  @IsString()
  monitorAlertRules?: string

  /** What stands in it. */
  alertRules: AlertConfiguration['rules'] = {}

  @Setting('MONITOR_ALERT_EVERY_SECONDS', '10', 'How often rules are looked at; Kafka is every sixth time.')
  @number()
  @IsInt()
  @Min(1)
  @Max(60)
  monitorAlertEverySeconds = 10

  @Setting(
    'MONITOR_SMTP_URL',
    'none',
    'Server for alerts by e-mail, as smtp://user:password@host:587 or smtps://…:465; without it none are sent.',
  )
  @IsOptional()
  @Matches(/^smtps?:\/\/\S+$/, { message: 'must start with smtp:// or smtps://' })
  monitorSmtpUrl?: string

  @Setting('MONITOR_SMTP_FROM', 'Posthorn <posthorn@localhost>', 'Who alerts by e-mail are from.')
  @Matches(/^[^\r\n]{3,320}$/, { message: 'must be one address, such as Posthorn <alerts@example.com>' })
  monitorSmtpFrom = 'Posthorn <posthorn@localhost>'

  @Setting('MONITOR_ALERT_WINDOW_SECONDS', '600', 'The attempts of so long are looked at, in whole minutes.')
  @number()
  @IsInt()
  @Min(60)
  @Max(86_400)
  monitorAlertWindowSeconds = 600

  @Setting(
    'WEBHOOK_DISABLE_AFTER_SECONDS',
    '432000',
    'A webhook is disabled after so long of nothing but failures, unless it says otherwise; 0: never.',
  )
  @number()
  @IsInt()
  @Min(0)
  @Max(31_536_000)
  webhookDisableAfterSeconds = 432_000

  @Setting('WEBHOOK_WARN_AT', '0.5', 'Share of that time after which it is warned of, above 0 to 1.')
  @number()
  @IsNumber()
  @Min(0.01)
  @Max(1)
  webhookWarnAt = 0.5

  @Setting(
    'WEBHOOK_OWNERSHIP_ORIGIN',
    'none',
    'DNS name of this sender, such as hooks.example.com: with it a webhook is pending until its receiver agrees (docs/ownership.md).',
  )
  @IsOptional()
  @Matches(/^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/, {
    message: 'must be a DNS name such as hooks.example.com',
  })
  @MaxLength(253)
  webhookOwnershipOrigin?: string

  @Setting(
    'PROBER_INTERVAL_SECONDS',
    '0',
    'How often a monitor sends a probe the whole way to a receiver in the deliverer (docs/prober.md), 30 at most; 0: never. For router, deliverer and monitor.',
  )
  @number()
  @IsInt()
  @Min(0)
  @Max(30)
  proberIntervalSeconds = 0

  @Setting('LOG_LEVEL', 'info', `One of ${LOG_LEVELS.join(', ')}.`)
  @IsIn(LOG_LEVELS)
  logLevel: LogLevel = 'info'

  @Setting(
    'TRACE_OTLP_URL',
    'none',
    'OTLP/HTTP collector for traces, such as http://tempo:4318; without it no span is recorded.',
  )
  @IsOptional()
  @Matches(/^https?:\/\//, { message: 'must start with http:// or https://' })
  traceOtlpUrl?: string

  @Setting('TRACE_RATIO', '1', 'Share of new traces that are recorded, 0 to 1.')
  @number()
  @IsNumber()
  @Min(0)
  @Max(1)
  traceRatio = 1

  @Setting(
    'METRICS_OTLP_URL',
    'none',
    'OTLP/HTTP collector that metrics are sent to, such as http://collector:4318; /metrics is served in any case.',
  )
  @IsOptional()
  @Matches(/^https?:\/\//, { message: 'must start with http:// or https://' })
  metricsOtlpUrl?: string

  @Setting('METRICS_OTLP_INTERVAL_MS', '30000', 'How often metrics are sent.')
  @number()
  @IsInt()
  @Min(1000)
  @Max(600_000)
  metricsOtlpIntervalMs = 30_000

  @Setting(
    'GRAFANA_URL',
    'none',
    'Where your Grafana is, such as https://grafana.example.com: attempts in the API then have a link to their trace.',
  )
  @IsOptional()
  @Matches(/^https?:\/\/\S+$/, { message: 'must start with http:// or https://' })
  grafanaUrl?: string

  @Setting('GRAFANA_TRACES', 'tempo', 'Uid of the data source of that Grafana that has the traces.')
  @Matches(/^[A-Za-z0-9_-]{1,40}$/, { message: 'must be 1 to 40 characters of A-Z a-z 0-9 _ -' })
  grafanaTraces = 'tempo'
}

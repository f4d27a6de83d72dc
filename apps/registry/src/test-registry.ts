import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import {
  credentials,
  loadPackageDefinition,
  Metadata,
  type Client,
  type ClientDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { fromStruct, PROTO_DIR, PROTO_OPTIONS } from '@posthorn/api'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics } from '@posthorn/kafka'
import { Health, readSettings, type RunningService, type Settings } from '@posthorn/process'
import { migrate } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, testBrokers, type TestDatabase } from '@posthorn/testkit'
import { PROTO_FILES, registryService } from './service.js'

export const PLATFORM_KEY = 'a-platform-key-for-this-test'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Record<string, unknown> & { readonly id: string; readonly data: readonly Record<string, unknown>[] }
}

export interface CallOptions {
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface RpcFailure {
  readonly grpc: number
  readonly code: string
  readonly problem: { readonly errors?: readonly unknown[] }
}

const PACKAGE = 'posthorn.admin.v1.'

interface ReflectionPackage {
  readonly grpc: { reflection: { v1: { ServerReflection: new (address: string, creds: unknown) => ReflectionClient } } }
}
type ReflectionClient = Client & { ServerReflectionInfo(): ClientDuplexStream<object, unknown> }
interface ServiceList {
  readonly listServicesResponse: { readonly service: readonly { readonly name: string }[] }
}

type Method = (request: object, metadata: Metadata, done: (error: ServiceError | null, answer: unknown) => void) => void

/** A registry of its own, on topics and a database of its own, and clients of both its edges. */
export class TestRegistry {
  private readonly clients = new Map<string, Client>()

  private constructor(
    readonly settings: Settings,
    readonly connection: KafkaConnection,
    readonly database: TestDatabase,
    private readonly running: RunningService,
  ) {}

  static async start(more: Readonly<Record<string, string>> = {}): Promise<TestRegistry> {
    const logger = createLogger('silent', 'test')
    const database = await createTestDatabase()
    await migrate(database.url, logger)
    const settings = readSettings({
      POSTHORN_KAFKA_BROKERS: testBrokers().join(),
      POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
      POSTHORN_KAFKA_PARTITIONS: '1',
      POSTHORN_DATABASE_URL: database.url,
      POSTHORN_LISTEN_HOST: '127.0.0.1',
      POSTHORN_REGISTRY_PORT: '0',
      POSTHORN_REGISTRY_GRPC_PORT: '0',
      POSTHORN_AUTH_PLATFORM_KEY: PLATFORM_KEY,
      POSTHORN_SEALING_KEYS: `test:${randomBytes(32).toString('base64')}`,
      ...more,
    })
    const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'registry-test'))
    await createTopics(connection, await planTopics(connection))
    const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
    const fatal = (error: Error) => {
      throw error
    }
    const running = await registryService.start({ settings, logger, health, fatal })
    return new TestRegistry(settings, connection, database, running)
  }

  get url(): string {
    return `http://${this.running.addresses.http}`
  }

  get grpcAddress(): string {
    return this.running.addresses.grpc!
  }

  async stop(): Promise<void> {
    for (const client of this.clients.values()) client.close()
    await this.running.stop()
    await this.database.drop()
  }

  async call(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    const { key = PLATFORM_KEY, headers = {} } = options
    const response = await fetch(`${this.url}${path}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    })
    const text = await response.text()
    const json = response.headers.get('content-type')?.includes('json') ? (JSON.parse(text) as Answer['json']) : {}
    return { status: response.status, headers: response.headers, text, json: json as Answer['json'] }
  }

  /** The answer as its message is read, Structs as JSON; rejects with an RpcFailure. */
  rpc(path: string, request: object = {}, { key = PLATFORM_KEY, headers = {} }: CallOptions = {}): Promise<unknown> {
    const [service, method] = path.split('/') as [string, string]
    const client = this.client(service)
    const metadata = new Metadata()
    metadata.set('authorization', `Bearer ${key}`)
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
    return new Promise((resolve, reject) => {
      const call = (client as unknown as Record<string, Method>)[method]!.bind(client)
      call(request, metadata, (error, answer) =>
        error ? reject(failureOf(error) as unknown as Error) : resolve(withJson(answer)),
      )
    })
  }

  /** The services that the server says it has, by reflection. */
  async services(): Promise<string[]> {
    const file = createRequire(import.meta.url).resolve(
      '@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
    )
    const { grpc } = loadPackageDefinition(loadSync(file)) as unknown as ReflectionPackage
    const client = new grpc.reflection.v1.ServerReflection(this.grpcAddress, credentials.createInsecure())
    const stream = client.ServerReflectionInfo()
    const answer = new Promise<ServiceList>((resolve, reject) => stream.once('data', resolve).once('error', reject))
    stream.write({ listServices: '' })
    const names = (await answer).listServicesResponse.service.map(({ name }) => name)
    stream.end()
    client.close()
    return names
  }

  /** `Service/Method` of every service of ours that the server says it has. */
  async methods(): Promise<string[]> {
    const names = (await this.services()).filter(name => name.startsWith(PACKAGE))
    return names.flatMap(name => {
      const service = name.slice(PACKAGE.length)
      return Object.keys(serviceClasses()[service]!.service).map(method => `${service}/${method}`)
    })
  }

  private client(service: string): Client {
    let client = this.clients.get(service)
    if (!client) {
      const Service = serviceClasses()[service]!
      client = new Service(this.grpcAddress, credentials.createInsecure())
      this.clients.set(service, client)
    }
    return client
  }
}

type ServiceClass = (new (address: string, creds: unknown) => Client) & { readonly service: Record<string, unknown> }

/** The services of posthorn.admin.v1 by name. */
export function serviceClasses(): Readonly<Record<string, ServiceClass>> {
  const loaded = loadPackageDefinition(
    loadSync(
      PROTO_FILES.map(file => join(PROTO_DIR, file)),
      { ...PROTO_OPTIONS, includeDirs: [PROTO_DIR] },
    ),
  ) as unknown as { posthorn: { admin: { v1: Record<string, ServiceClass> } } }
  return Object.fromEntries(Object.entries(loaded.posthorn.admin.v1).filter(([, value]) => value.service !== undefined))
}

const STRUCTS = new Set(['before', 'after', 'event', 'filter', 'encryption', 'schema', 'example', 'details'])

function withJson(message: unknown): unknown {
  if (Array.isArray(message)) return message.map(withJson)
  if (typeof message !== 'object' || message === null || Buffer.isBuffer(message)) return message
  return Object.fromEntries(
    Object.entries(message).map(([name, value]) => [
      name,
      STRUCTS.has(name) && typeof value === 'object' && value !== null && 'fields' in value
        ? fromStruct(value)
        : withJson(value),
    ]),
  )
}

function failureOf(error: ServiceError): RpcFailure {
  const [problem] = error.metadata.get('problem-bin')
  return {
    grpc: error.code,
    code: String(error.metadata.get('error-code')[0] ?? error.details),
    problem: problem === undefined ? {} : (JSON.parse(problem.toString()) as RpcFailure['problem']),
  }
}

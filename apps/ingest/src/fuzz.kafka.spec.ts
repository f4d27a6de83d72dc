import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createApiClient } from '@posthorn/api/client'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics } from '@posthorn/kafka'
import { Health, readSettings, type RunningService } from '@posthorn/process'
import { createLogger } from '@posthorn/telemetry'
import { schemathesis, testBrokers } from '@posthorn/testkit'
import { EVENTS } from '@posthorn/topics'
import { ingestService } from './service.js'

/** As for the registry: the schema cannot say that an attribute is reserved, or that two of them exclude each other. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'unsupported_method',
  'allow_header_conformance',
  'ignored_auth',
]
const TEST_MS = 300_000
const KEY = 'a-platform-key-for-this-test'

const logger = createLogger('silent', 'test')
let connection: KafkaConnection
let ingest: RunningService
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posthorn-fuzz-'))
  const settings = readSettings({
    POSTHORN_KAFKA_BROKERS: testBrokers().join(),
    POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
    POSTHORN_KAFKA_PARTITIONS: '1',
    POSTHORN_LISTEN_HOST: '127.0.0.1',
    POSTHORN_INGEST_PORT: '0',
    POSTHORN_INGEST_GRPC_PORT: '0',
    POSTHORN_AUTH_PLATFORM_KEY: KEY,
  })
  connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'ingest-test'))
  await createTopics(connection, await planTopics(connection))
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const fatal = (error: Error) => {
    throw error
  }
  ingest = await ingestService.start({ settings, logger, health, fatal })
}, 60_000)
afterAll(async () => {
  await ingest?.stop()
  await rm(folder, { recursive: true, force: true })
}, 30_000)

type Json = Record<string, unknown>
interface Operation {
  readonly parameters: readonly { readonly name: string }[]
  readonly requestBody: { readonly content: Json }
}
const NEEDED = ['ce-specversion', 'ce-id', 'ce-source', 'ce-type']
/**
 * Of one mode each: with both together almost every request would be half of each, and refused, as it would be for
 * a tenant of the generator's.
 */
const MODES: readonly { readonly mode: string; readonly of: (operation: Operation) => object }[] = [
  {
    mode: 'in JSON',
    of: ({ parameters, requestBody: { content } }) => ({
      parameters: parameters.filter(({ name }) => name === 'Idempotency-Key'),
      requestBody: { required: true, content: { ...content, 'application/octet-stream': undefined } },
    }),
  },
  {
    mode: 'in the binary mode',
    of: ({ parameters, requestBody: { content } }) => ({
      parameters: parameters
        .filter(({ name }) => name !== 'Posthorn-Tenant')
        .map(each => ({ ...each, required: NEEDED.includes(each.name) })),
      // Without a body it is an event without data.
      requestBody: { required: false, content: { 'application/octet-stream': content['application/octet-stream'] } },
    }),
  },
]

/** The file of the document, with the operation as the mode has it. */
async function documentOf(of: (operation: Operation) => object, file: string): Promise<string> {
  const response = await fetch(`http://${ingest.addresses.http}/openapi.json`)
  const document = (await response.json()) as { paths: Record<string, { post: Operation }> }
  const { post } = document.paths['/v1/publish']!
  const paths = { '/v1/publish': { post: { ...post, ...of(post) } } }
  await writeFile(file, JSON.stringify({ ...document, paths }))
  return file
}

async function published(): Promise<number> {
  const ends = await connection.withAdmin(admin => admin.fetchTopicOffsets(connection.topic(EVENTS)))
  return Number(ends[0]!.high)
}

test.each(MODES)(
  'generated events $mode meet no failure of ours, and no answer that the OpenAPI document does not have',
  async ({ mode, of }) => {
    const before = await published()
    const { status, output } = await schemathesis(
      [
        ...['run', await documentOf(of, join(folder, `${mode}.json`)), '--url', `http://${ingest.addresses.http}`],
        ...['--header', `Authorization: Bearer ${KEY}`],
        ...['--checks', CHECKS.join()],
        ...['--phases', 'examples,coverage,fuzzing'],
        ...['--seed', '1', '--generation-deterministic'],
        ...['--max-examples', '25'],
        ...['--request-timeout', '60', '--continue-on-failure', '--no-color'],
      ],
      TEST_MS,
    )
    expect({ status, output: status === 0 ? '' : output }).toEqual({ status: 0, output: '' })
    // Nothing taken would be no success.
    expect((await published()) - before).toBeGreaterThan(50)
  },
  TEST_MS + 200_000,
)

test('the client of the contract publishes one event, an array, and CloudEvents', async () => {
  const api = createApiClient({ url: `http://${ingest.addresses.http}`, key: KEY })
  const event = { type: 'order.paid', data: { total: 120 } }
  const one = await api.POST('/v1/publish', { body: { id: 'one', ...event } })
  expect(one.data).toEqual({ id: 'one', source: '/v1/publish' })
  const many = await api.POST('/v1/publish', { body: [event, { id: 'two', ...event }] })
  expect(many.data).toEqual({ data: [expect.anything(), { id: 'two', source: '/v1/publish' }] })
  const cloudEvent = { specversion: '1.0', id: 'three', source: '/shop', ...event } as const
  const structured = { 'content-type': 'application/cloudevents+json' }
  expect((await api.POST('/v1/publish', { body: cloudEvent, headers: structured })).data).toMatchObject({ id: 'three' })
  const refused = await api.POST('/v1/publish', { body: { type: 'posthorn.own' } })
  expect(refused.error).toMatchObject({ status: 400, code: 'event_invalid', errors: [{ pointer: '/data' }, {}] })
})

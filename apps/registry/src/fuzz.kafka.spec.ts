import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { queryDatabase, schemathesis } from '@posthorn/testkit'
import { withData, type Document } from './test-fuzz-data.js'
import { PLATFORM_KEY, TestRegistry } from './test-registry.js'

/**
 * What each answer is held to. Left out: that a request which fits the schema is taken (the schema cannot say
 * that a name is taken, or that two fields exclude each other).
 */
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
/** It takes a minute on an idle machine. */
const TEST_MS = 300_000

let registry: TestRegistry
let folder: string
let file: string
let monitor: NodeJS.Timeout
beforeAll(async () => {
  // It tries wrong keys, too, at its own pace.
  registry = await TestRegistry.start({ POSTHORN_AUTH_WRONG_KEYS_PER_MINUTE: '0' })
  // No monitor runs here, and each test of a channel would wait for one.
  const told = `UPDATE alert_notifications SET status = 'sent', ended_at = now() WHERE status = 'waiting'`
  monitor = setInterval(() => void queryDatabase(registry.database.url, told).catch(() => undefined), 250)
  folder = await mkdtemp(join(tmpdir(), 'posthorn-fuzz-'))
  file = join(folder, 'openapi.json')
  const { json } = await registry.call('GET', '/openapi.json')
  await writeFile(file, JSON.stringify(await withData(json as unknown as Document, registry)))
}, 60_000)
afterAll(async () => {
  clearInterval(monitor)
  await registry.stop()
  await rm(folder, { recursive: true, force: true })
})

test(
  'generated requests meet no failure of ours, and no answer that the OpenAPI document does not have',
  async () => {
    const { status, output } = await schemathesis(
      [
        ...['run', file, '--url', registry.url],
        ...['--header', `Authorization: Bearer ${PLATFORM_KEY}`],
        ...['--checks', CHECKS.join()],
        ...['--phases', 'examples,coverage,fuzzing'],
        // The same requests at every run: a failure here is there for the next one, too.
        ...['--seed', '1', '--generation-deterministic'],
        ...['--max-examples', '10'],
        ...['--request-timeout', '60', '--continue-on-failure', '--no-color'],
      ],
      TEST_MS,
    )
    expect({ status, output: status === 0 ? '' : output }).toEqual({ status: 0, output: '' })
    // Nothing tried would be no success.
    expect(Number(/(\d+) generated/.exec(output)?.[1])).toBeGreaterThan(1000)
  },
  TEST_MS + 200_000,
)

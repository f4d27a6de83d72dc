import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { schemathesis } from '@posthorn/testkit'
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
beforeAll(async () => {
  registry = await TestRegistry.start()
}, 60_000)
afterAll(() => registry.stop())

test(
  'generated requests meet no failure of ours, and no answer that the OpenAPI document does not have',
  async () => {
    const { status, output } = await schemathesis(
      [
        ...['run', `${registry.url}/openapi.json`],
        // Ingest's, which has a fuzz of its own.
        ...['--exclude-path', '/v1/publish'],
        ...['--header', `Authorization: Bearer ${PLATFORM_KEY}`],
        ...['--checks', CHECKS.join()],
        ...['--phases', 'examples,coverage,fuzzing'],
        // The same requests at every run: a failure here is there for the next one, too.
        ...['--seed', '1', '--generation-deterministic'],
        ...['--max-examples', '10'],
        ...['--request-timeout', '20', '--continue-on-failure', '--no-color'],
      ],
      TEST_MS,
    )
    expect({ status, output: status === 0 ? '' : output }).toEqual({ status: 0, output: '' })
    // Nothing tried would be no success.
    expect(Number(/(\d+) generated/.exec(output)?.[1])).toBeGreaterThan(1000)
  },
  TEST_MS + 200_000,
)

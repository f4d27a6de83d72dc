import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { validated, type Dto } from './http-validation.js'
import * as api from './index.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const REDOCLY = 'node_modules/@redocly/cli/bin/cli.js'

interface Media {
  readonly schema: { readonly $ref: string }
  readonly examples?: { readonly example: { readonly value: object } }
}
interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
}

test('redocly finds nothing in the OpenAPI document', async () => {
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  const args = [REDOCLY, 'lint', '--format=stylish', '--max-problems=50', 'libs/api/openapi.json']
  const problems = await new Promise<string>(resolve =>
    execFile(process.execPath, args, { cwd: ROOT, env }, (error, out, err) => resolve(error ? out + err : '')),
  )
  expect(problems).toBe('')
}, 30_000)

test('every body has an example in the document, and the API takes it', () => {
  const { paths } = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8')) as {
    paths: Record<string, Record<string, Operation>>
  }
  // What another service takes is checked there.
  const own = Object.entries(paths).filter(([, item]) => !('servers' in item))
  const bodies = own.flatMap(([path, item]) =>
    Object.entries(item).flatMap(([verb, { requestBody }]) =>
      Object.values(requestBody?.content ?? {}).map(media => ({ route: `${verb} ${path}`, ...media })),
    ),
  )
  expect(bodies.length).toBeGreaterThan(10)
  for (const { route, schema, examples } of bodies) {
    const dto = (api as unknown as Record<string, Dto<object>>)[schema.$ref.split('/').at(-1)!]!
    expect([route, examples?.example.value]).toEqual([route, expect.any(Object)])
    expect(validated(dto, examples!.example.value)).toBeInstanceOf(dto)
  }
})

import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ERRORS } from '@posthorn/api'
import { contractFiles } from './contract-files.js'
import { unconnectedApp } from './unconnected.js'

type Json = Record<string, unknown>
interface Operation {
  readonly operationId: string
  readonly parameters: readonly { readonly name: string; readonly in: string }[]
  readonly responses: Readonly<Record<string, Json>>
  readonly requestBody?: Json
}

const routes: string[] = []
let document: { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, Json> } }
let text: string
let page: string
let close: () => Promise<void>

beforeAll(async () => {
  const app = await unconnectedApp()
  const fastify = app.getHttpAdapter().getInstance()
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const verb of [method].flat()) if (verb !== 'HEAD') routes.push(`${verb} ${url}`)
  })
  await app.init()
  text = (await fastify.inject('/openapi.json')).payload
  page = (await fastify.inject('/docs')).payload
  expect((await fastify.inject('/docs/swagger-ui-bundle.js')).payload).toContain('SwaggerUIBundle')
  document = JSON.parse(text)
  close = () => app.close()
}, 30_000)
afterAll(() => close())

/** Those that the registry answers itself. */
const own = () => Object.entries(document.paths).filter(([, item]) => !('servers' in item))
const operations = (): [string, Operation][] =>
  own().flatMap(([path, item]) =>
    Object.entries(item).map(([verb, operation]): [string, Operation] => [`${verb.toUpperCase()} ${path}`, operation]),
  )

describe('the OpenAPI document', () => {
  test('has every route of the registry', () => {
    const documented = operations().map(([route]) => route.replace(/\{(\w+)\}/g, ':$1'))
    expect(documented.sort()).toEqual(routes.sort())
    expect(page).toContain('/docs/swagger-ui-bundle.js')
  })

  test('has the paths of ingest, and says where it is', () => {
    const elsewhere = Object.entries(document.paths).filter(([, item]) => 'servers' in item)
    expect(elsewhere.map(([path, item]) => [path, Object.keys(item)])).toEqual([
      ['/v1/publish', ['servers', 'post']],
      ['/v1/publish/{key}', ['servers', 'post']],
    ])
  })

  test('says of every operation what it takes and answers, under a name of its own', () => {
    const ids = operations().map(([, { operationId }]) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [route, { responses, parameters, requestBody }] of operations()) {
      const good = Object.keys(responses).filter(status => status.startsWith('2'))
      expect([route, good.length > 0]).toEqual([route, true])
      for (const status of good)
        if (status !== '204')
          expect([route, status, responses[status]]).toEqual([
            route,
            status,
            expect.objectContaining({ content: expect.anything() }),
          ])
      expect(responses).toMatchObject({ '4XX': {}, '5XX': {} })
      for (const [, name] of route.matchAll(/\{(\w+)\}/g))
        expect([route, parameters.some(each => each.in === 'path' && each.name === name)]).toEqual([route, true])
      if (/^(PUT|PATCH)/.test(route)) expect([route, requestBody]).toEqual([route, expect.anything()])
    }
  })

  test('knows every error code, and every schema that it names', () => {
    const { code } = document.components.schemas.Problem!.properties as { code: { enum: string[] } }
    expect(code.enum).toEqual(Object.keys(ERRORS))
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect([name, document.components.schemas[name!]]).toEqual([name, expect.anything()])
  })

  test('is OpenAPI 3.1: null is a type there', () => {
    expect(text).not.toContain('"nullable"')
    const view = document.components.schemas.WebhookView!.properties as Record<string, Json>
    expect(view.description).toMatchObject({ type: ['string', 'null'] })
    const body = document.components.schemas.CreateWebhookBody as { required: string[]; properties: Json }
    expect(body.required.sort()).toEqual(['events', 'url'])
    const patch = document.components.schemas.PatchWebhookBody as { required?: string[] }
    expect(patch.required ?? []).toEqual([])
  })

  test('is committed, with the types of the client, as the registry serves it', async () => {
    const stale = [...(await contractFiles())].filter(([file, wanted]) => readFileSync(file, 'utf8') !== wanted)
    const advice = stale.map(([file]) => `${basename(file)} is not what the registry serves: npm run contract`)
    expect(advice).toEqual([])
  }, 120_000)
})

import { expect, test } from '@jest/globals'
import { PUBLISH_PATH } from '@posthorn/api'
import { modeOf, readPublication } from './publication.js'

interface Media {
  readonly schema: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}

const EXAMPLES = Object.entries<Media>(PUBLISH_PATH.post.requestBody.content).flatMap(
  ([mediaType, { examples = {} }]) => Object.values(examples).map(({ value }) => ({ mediaType, value })),
)
const RULES = { tenant: 'default', now: 0, maxEventBytes: 1024 }

test.each(EXAMPLES)('the example of $mediaType in the OpenAPI document is taken: $value', ({ mediaType, value }) => {
  const body = Buffer.from(JSON.stringify(value))
  const { form, events } = readPublication(modeOf({}, mediaType), {}, body, RULES)
  expect([form, events.length]).toEqual(Array.isArray(value) ? ['many', value.length] : ['one', 1])
})

test('the headers of the binary mode in the OpenAPI document make an event of any body', () => {
  const given = PUBLISH_PATH.post.parameters.filter(({ name }) => name.startsWith('ce-'))
  const value: Readonly<Record<string, string>> = { 'ce-specversion': '1.0', 'ce-time': '2026-01-31T12:00:00Z' }
  const headers = Object.fromEntries(given.map(({ name }) => [name, value[name] ?? 'a']))
  const mode = modeOf(headers, 'application/octet-stream')
  const withType = { ...headers, 'content-type': 'application/octet-stream' }
  const { events } = readPublication(mode, withType, Buffer.from([0, 255]), RULES)
  expect(events.map(({ event }) => event)).toEqual([
    {
      ...{
        tenant: 'default',
        id: 'a',
        source: 'a',
        type: 'a',
        time: value['ce-time'],
        subject: 'a',
        partitionkey: 'a',
      },
      contenttype: 'application/octet-stream',
    },
  ])
})

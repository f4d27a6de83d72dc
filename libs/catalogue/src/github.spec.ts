import { createRequire } from 'node:module'
import { describe, expect, it } from '@jest/globals'
import { Ajv } from 'ajv'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { compileSchema, type CompiledSchema } from './compile-schema.js'

// What somebody who has schemas brings along: draft-07, one document, everything referring to everything.
const require = createRequire(import.meta.url)
const { definitions, $schema } = require('@octokit/webhooks-schemas') as { definitions: Definitions; $schema: string }
const examples = require('@octokit/webhooks-examples') as readonly { name: string; examples: readonly object[] }[]

type Definitions = Readonly<Record<string, object>>

const REFERENCE = /"#\/definitions\/([^"]+)"/g

/** The schema of one event with what it refers to, and nothing else: what its owner registers. */
function schemaOf(name: string): object {
  const needed = new Map<string, object>()
  const add = (definition: string) => {
    if (needed.has(definition)) return
    needed.set(definition, definitions[definition]!)
    for (const [, inner] of JSON.stringify(definitions[definition]).matchAll(REFERENCE)) add(inner!)
  }
  add(name)
  return { $schema, $ref: `#/definitions/${name}`, definitions: Object.fromEntries(needed) }
}

const nameOf = (event: string) => [`${event}_event`, `${event}$event`].find(name => name in definitions)!

/** The whole document, as ajv takes it without any doing of ours. */
const whole = new Ajv({
  inlineRefs: false,
  logger: false,
  strict: false,
  schemas: { github: { $schema, definitions } },
})
for (const [name, format] of Object.entries(fullFormats)) whole.addFormat(name, format)

const checks = new Map<string, CompiledSchema>()

/** Compiling all takes seconds: each is kept for the tests that need it. */
function checkOf(event: string): CompiledSchema {
  const result = checks.has(event) ? undefined : compileSchema(schemaOf(nameOf(event)))
  if (result?.kind === 'bad') throw new Error(`${event}: ${JSON.stringify(result.problems)}`)
  if (result) checks.set(event, result.compiled)
  return checks.get(event)!
}

const bytesOf = (payload: object) => JSON.stringify(payload).length

describe("S1 GitHub's schemas and payloads", () => {
  it('S1 every event of GitHub has a schema that compiles within the limits', () => {
    expect(examples.length).toBeGreaterThan(50)
    for (const { name } of examples) expect(checkOf(name).schema.dialect).toBe('draft-07')
  })

  // Of the 329 payloads 53 lack fields that the schemas of the same release require, or have some that they refuse.
  it('S1 every example fits, but for those that do not by ajv itself', () => {
    const verdicts = examples.flatMap(({ name, examples: payloads }) => {
      const wanted = whole.getSchema(`github#/definitions/${nameOf(name)}`)!
      return payloads.map((payload, index) => {
        const problems = checkOf(name).check(payload, bytesOf(payload))
        expect([name, index, problems.length === 0]).toEqual([name, index, wanted(payload)])
        return problems.length === 0
      })
    })
    expect([verdicts.length, verdicts.filter(Boolean).length]).toEqual([329, 276])
  })

  it('S1 no example fits any more when one of its fields has another type, and the fault names that field', () => {
    const sent = examples.flatMap(({ name, examples: payloads }) =>
      payloads
        .filter(one => 'sender' in one && checkOf(name).check(one, bytesOf(one)).length === 0)
        .map(one => ({ name, one })),
    )
    expect(sent.length).toBeGreaterThan(200)
    for (const { name, one } of sent)
      expect(checkOf(name).check({ ...one, sender: 7 }, bytesOf(one))).toContainEqual({
        pointer: '/sender',
        message: 'must be an object',
      })
  })

  it('S1 says which of their keywords have no meaning', () => {
    const { warnings } = checkOf('issues').schema
    expect(warnings).toContainEqual({
      pointer: expect.stringMatching(/tsAdditionalProperties$/),
      message: 'is ignored: no such keyword',
    })
  })
})

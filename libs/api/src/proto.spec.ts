import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { fromStruct, messageOf, patchOf, PROTO_DIR } from './grpc-message.js'

const BUF = fileURLToPath(new URL('../../../node_modules/@bufbuild/buf/bin/buf', import.meta.url))

// The last compares with what was released: `npm run baseline` makes that the present state.
test.each([['lint'], ['format', '--diff', '--exit-code'], ['breaking', '--against', '../proto-baseline.binpb']])(
  'buf %s finds nothing in the .proto files',
  async (...args) => {
    const { error, output } = await new Promise<{ error: unknown; output: string }>(resolve =>
      execFile(process.execPath, [BUF, ...args], { cwd: PROTO_DIR }, (error, out, err) =>
        resolve({ error, output: out + err }),
      ),
    )
    expect({ error, output }).toEqual({ error: null, output: '' })
  },
  30_000,
)

test('an update without a mask changes what is set; with one, what it names, and null where that is not set', () => {
  const message = { url: 'u', metadata: { a: '1', 'b.c': '2' } }
  expect(patchOf(message, undefined)).toEqual(message)
  expect(patchOf(message, ['url', 'description'])).toEqual({ url: 'u', description: null })
  expect(patchOf(message, ['metadata.b.c', 'metadata.x'])).toEqual({ metadata: { 'b.c': '2', x: null } })
  expect(patchOf(undefined, ['url'])).toEqual({ url: null })
})

test('a Struct is a JSON object, there and back', () => {
  const json = { a: null, b: [1, 'x', true, { c: [] }], d: { e: 0.5 } }
  const { filter } = messageOf({ filter: json, gone: null }) as { filter: object }
  expect(fromStruct(filter)).toEqual(json)
  expect(messageOf({ gone: null })).toEqual({})
})

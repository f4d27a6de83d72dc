import { join } from 'node:path'
import openapiTypes, { astToString } from 'openapi-typescript'
import { format, resolveConfig } from 'prettier'
import { unconnectedApp } from './unconnected.js'

const API = join(import.meta.dirname, '..', '..', '..', 'libs', 'api')
const HEAD = `/* oxlint-disable max-lines */
// Generated from openapi.json by \`npm run contract\`.

`

/** A field with a default may be left out of a request. */
const TYPES = { defaultNonNullable: false } as const

/** The committed files that are made of the registry's document, with what has to stand in them. */
export async function contractFiles(): Promise<ReadonlyMap<string, string>> {
  const app = await unconnectedApp()
  try {
    await app.init()
    const document = (await app.getHttpAdapter().getInstance().inject('/openapi.json')).payload
    const types = astToString(await openapiTypes(document, TYPES))
    return new Map([
      await formatted(join(API, 'openapi.json'), document),
      await formatted(join(API, 'src', 'openapi-types.ts'), HEAD + types),
    ])
  } finally {
    await app.close()
  }
}

async function formatted(file: string, text: string): Promise<[string, string]> {
  return [file, await format(text, { ...(await resolveConfig(file)), filepath: file })]
}

import type { INestApplication } from '@nestjs/common'
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger'
import { COMPONENTS, headersOf, IDEMPOTENCY, KEY, PROBLEM_ANSWERS, TENANT } from './openapi-parts.js'

export interface OpenApiOptions {
  readonly title: string
  readonly description: string
  /** What each first part of a path below /v1 is about. */
  readonly tags: Readonly<Record<string, string>>
  /** What each parameter of a path is, and its schema where that is no text. */
  readonly pathParameters: Readonly<Record<string, { readonly description: string; readonly schema?: object }>>
  /** Paths that are described whole, in place of what their handlers say; this app need not serve them. */
  readonly paths: Readonly<Record<string, object>>
  /** What those refer to. */
  readonly schemas: Readonly<Record<string, object>>
}

type Json = Record<string, unknown>
interface Operation extends Json {
  operationId?: string
  tags?: string[]
  parameters?: Json[]
  responses: Record<string, Json>
  security?: Json[]
}

const METHODS = ['get', 'put', 'post', 'patch', 'delete'] as const
/** The OpenAPI 3.1 document of an app, made of its edges and their DTO classes. */
export function openApiOf(app: INestApplication, options: OpenApiOptions): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(options.title)
    .setDescription(options.description)
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key.' }, KEY)
    .addServer('/')
    .build()
  const operationIdFactory = (controller: string, method: string) =>
    `${controller.replace(/Edge$/, '').toLowerCase()}_${method}`
  const document = SwaggerModule.createDocument(app, config, { operationIdFactory })
  for (const [path, item] of Object.entries(document.paths))
    for (const method of METHODS)
      if (item[method] && !(path in options.paths))
        complete(path, method, item[method] as unknown as Operation, document, options)
  const { schemas, ...rest } = COMPONENTS
  const components = {
    ...document.components,
    ...rest,
    schemas: { ...document.components?.schemas, ...options.schemas, ...schemas },
  }
  const paths = { ...document.paths, ...options.paths }
  const tags = Object.entries(options.tags).map(([name, text]) => ({ name, description: text }))
  return nullAsType({ ...document, paths, components, tags }) as OpenAPIObject
}

/** What holds for every operation alike. */
function complete(
  path: string,
  method: string,
  operation: Operation,
  document: OpenAPIObject,
  { pathParameters }: OpenApiOptions,
): void {
  operation.tags = [path.split('/')[2] ?? path]
  operation.security = [{ [KEY]: [] }]
  const described = (operation.parameters ?? []).map(each =>
    each.in === 'path' ? { ...each, ...pathParameters[each.name as string] } : each,
  )
  operation.parameters = [...described, TENANT, ...(method === 'post' ? [IDEMPOTENCY] : [])]
  for (const [status, answer] of Object.entries(operation.responses))
    operation.responses[status] = {
      ...answer,
      headers: headersOf(method, status, isVersioned(answer, document)),
    }
  operation.responses = { ...operation.responses, ...PROBLEM_ANSWERS }
}

/** Whether what is answered has a version, and hence an ETag. */
function isVersioned(answer: Json, document: OpenAPIObject): boolean {
  const { content } = answer as { content?: Record<string, { schema: { $ref?: string } }> }
  const name = content?.['application/json']?.schema.$ref?.split('/').at(-1)
  const schema = name === undefined ? undefined : (document.components?.schemas?.[name] as Json | undefined)
  return schema !== undefined && 'version' in (schema.properties as Json)
}

/** OpenAPI 3.1 is JSON Schema, where null is a type and not a flag. */
function nullAsType(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(nullAsType)
  if (typeof value !== 'object' || value === null) return value
  const { nullable, ...rest } = Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, nullAsType(inner)]),
  ) as Json
  if (nullable === undefined) return rest
  if (nullable !== true) return rest
  if (typeof rest.type === 'string') {
    const values = Array.isArray(rest.enum) ? { enum: [...(rest.enum as unknown[]), null] } : {}
    return { ...rest, ...values, type: [rest.type, 'null'] }
  }
  return { anyOf: [rest, { type: 'null' }] }
}

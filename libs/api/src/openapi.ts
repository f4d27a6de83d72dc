import type { INestApplication } from '@nestjs/common'
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger'
import { TENANT_PATTERN } from '@posthorn/webhook'
import { ERRORS, PROBLEM_MEDIA_TYPE } from './errors.js'

export interface OpenApiOptions {
  readonly title: string
  readonly description: string
}

type Json = Record<string, unknown>
interface Operation extends Json {
  operationId?: string
  tags?: string[]
  parameters?: Json[]
  responses: Json
  security?: Json[]
}

const METHODS = ['get', 'put', 'post', 'patch', 'delete'] as const
const KEY = 'key'
const TENANT = {
  name: 'Posthorn-Tenant',
  in: 'header',
  required: false,
  description: 'For keys of the platform: the tenant that the request is about; default unless set.',
  schema: { type: 'string', pattern: TENANT_PATTERN.source },
}
const IDEMPOTENCY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Sent again with the same key and body, the request is not run again, but answered as it was, for a day.',
  schema: { type: 'string', pattern: '^[\\x20-\\x7e]{1,255}$' },
}
const PROBLEM = {
  type: 'object',
  description: 'RFC 9457.',
  required: ['type', 'title', 'status', 'code', 'detail', 'action', 'request_id'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(ERRORS), description: 'Stable.' },
    detail: { type: 'string' },
    action: { type: 'string', description: 'What to do.' },
    request_id: { type: 'string' },
    trace_id: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: { pointer: { type: 'string', description: 'JSON Pointer.' }, detail: { type: 'string' } },
      },
    },
  },
}
const PROBLEM_ANSWER = {
  description: 'A problem.',
  content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
}

/** The OpenAPI 3.1 document of an app, made of its edges and their DTO classes. */
export function openApiOf(app: INestApplication, { title, description }: OpenApiOptions): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(title)
    .setDescription(description)
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key.' }, KEY)
    .addServer('/')
    .build()
  const operationIdFactory = (controller: string, method: string) =>
    `${controller.replace(/Edge$/, '').toLowerCase()}_${method}`
  const document = SwaggerModule.createDocument(app, config, { operationIdFactory })
  const components = (document.components ??= {})
  components.schemas = { ...components.schemas, Problem: PROBLEM as never }
  for (const [path, item] of Object.entries(document.paths))
    for (const method of METHODS) if (item[method]) complete(path, method, item[method] as unknown as Operation)
  return nullAsType(document) as OpenAPIObject
}

/** What holds for every operation alike. */
function complete(path: string, method: string, operation: Operation): void {
  operation.tags = [path.split('/')[2] ?? path]
  operation.security = [{ [KEY]: [] }]
  operation.parameters = [...(operation.parameters ?? []), TENANT, ...(method === 'post' ? [IDEMPOTENCY] : [])]
  operation.responses = { ...operation.responses, '4XX': PROBLEM_ANSWER, '5XX': PROBLEM_ANSWER }
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

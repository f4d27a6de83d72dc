import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import { ApiHeader } from '@nestjs/swagger'
import type { FastifyRequest } from 'fastify'
import { ApiError } from './errors.js'

const HEADER = {
  name: 'If-Match',
  required: false,
  description: 'The ETag of a read: 412 unless it is the current one.',
  schema: { type: 'string', pattern: '^(\\*|"[0-9]{1,10}")$' },
}
const ETAG = /^"(\d{1,10})"$/

/** The ETag of a version. */
export function etagOf(version: number): string {
  return `"${version}"`
}

const read = createParamDecorator((_: unknown, context: ExecutionContext): number | undefined => {
  const header = context.switchToHttp().getRequest<FastifyRequest>().headers['if-match']
  if (header === undefined || header === '*') return undefined
  const version = ETAG.exec(header)?.[1]
  if (version === undefined)
    throw new ApiError('request_invalid', 'The header If-Match must be one ETag, as a read of it answered.')
  return Number(version)
})

/** The version that If-Match asks for; undefined without the header, or with `*`. Throws ApiError request_invalid. */
export function IfMatch(): ParameterDecorator {
  return (target, property, index) => {
    const descriptor = Object.getOwnPropertyDescriptor(target, property!)!
    ApiHeader(HEADER)(target, property!, descriptor)
    read()(target, property, index)
  }
}

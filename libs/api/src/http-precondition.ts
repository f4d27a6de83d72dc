import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { ApiError } from './errors.js'

const ETAG = /^"(\d{1,10})"$/

/** The ETag of a version. */
export function etagOf(version: number): string {
  return `"${version}"`
}

/** The version that If-Match asks for; undefined without the header, or with `*`. Throws ApiError request_invalid. */
export const IfMatch = createParamDecorator((_: unknown, context: ExecutionContext): number | undefined => {
  const header = context.switchToHttp().getRequest<FastifyRequest>().headers['if-match']
  if (header === undefined || header === '*') return undefined
  const version = ETAG.exec(header)?.[1]
  if (version === undefined)
    throw new ApiError('request_invalid', 'The header If-Match must be one ETag, as a read of it answered.')
  return Number(version)
})

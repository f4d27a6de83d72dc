import { createHash, timingSafeEqual } from 'node:crypto'
import { createParamDecorator, type CanActivate, type ExecutionContext } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { TENANT_PATTERN } from '@posthorn/webhook'
import { ApiError } from './errors.js'

const DEFAULT_TENANT = 'default'
const BEARER = /^Bearer +(\S+) *$/i

/** Lets in who has the platform key: `Authorization: Bearer <key>`. */
export class BearerGuard implements CanActivate {
  private readonly digest: Buffer

  /** Throws, with a sentence for the operator, when no key is set: an API without a key is never opened. */
  constructor(platformKey: string | undefined) {
    if (platformKey === undefined)
      throw new Error('POSTHORN_AUTH_PLATFORM_KEY is not set: set it to a key of 24 characters or more and start again')
    this.digest = sha256(platformKey)
  }

  canActivate(context: ExecutionContext): boolean {
    const header = context.switchToHttp().getRequest<FastifyRequest>().headers.authorization
    if (header === undefined) throw new ApiError('key_missing', 'The request has no Authorization header.')
    const key = BEARER.exec(header)?.[1]
    if (key === undefined)
      throw new ApiError('key_missing', 'The Authorization header is not of the form Bearer <key>.')
    // Digests of equal length are compared, so that the time tells neither the key's length nor its beginning.
    if (!timingSafeEqual(sha256(key), this.digest))
      throw new ApiError('key_invalid', 'The key is not the platform key.')
    return true
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** The tenant that the header Posthorn-Tenant names; whether it exists is for the use case to say. */
export const TenantName = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const name = context.switchToHttp().getRequest<FastifyRequest>().headers['posthorn-tenant'] ?? DEFAULT_TENANT
  if (typeof name !== 'string' || !TENANT_PATTERN.test(name))
    throw new ApiError('tenant_not_found', 'The header Posthorn-Tenant is not a tenant id.')
  return name
})

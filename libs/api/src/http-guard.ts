import { createParamDecorator, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common'
import type { ApiRole } from '@posthorn/topics'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { plainAddress, type Authentication, type Caller, type Credentials, type Needed } from './authentication.js'

const ROLE = 'posthorn:role'
const PLATFORM = 'posthorn:platform'
const OPEN = 'posthorn:open'
const callers = new WeakMap<FastifyRequest, Caller>()

/** The role that a handler asks for; unless said, `read` for GET and `admin` for all that changes something. */
export const Needs = (role: ApiRole) => SetMetadata(ROLE, role)
/** For keys of the platform alone. On a handler or on its controller. */
export const PlatformOnly = () => SetMetadata(PLATFORM, true)
/** For everybody, without a key. */
export const Open = () => SetMetadata(OPEN, true)

/** Lets a request in, or throws why not; what it knows of the caller is there for `CalledBy` and `TenantName`. */
export class KeyGuard implements CanActivate {
  constructor(private readonly authentication: Authentication) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (asked(context, OPEN) === true) return true
    const request = context.switchToHttp().getRequest<FastifyRequest>()
    const caller = this.authentication.caller(credentialsOf(request), neededBy(context, request.method))
    const reply = context.switchToHttp().getResponse<FastifyReply>()
    if (!(caller instanceof Promise)) return keep(request, reply, caller)
    return caller.then(found => keep(request, reply, found))
  }
}

/** What a request says of who it comes from. */
export function credentialsOf({ headers, ip, id }: FastifyRequest): Credentials {
  const tenant = headers['posthorn-tenant']
  return {
    authorization: headers.authorization,
    // Given twice it is no tenant id, which is then said.
    tenant: typeof tenant === 'string' || tenant === undefined ? tenant : tenant.join(),
    address: plainAddress(ip),
    requestId: id,
  }
}

function keep(request: FastifyRequest, reply: FastifyReply, caller: Caller): true {
  if (caller.rate) {
    const { burst, remaining, resetS } = caller.rate
    reply.header('ratelimit-policy', `"key";q=${burst}`)
    reply.header('ratelimit', `"key";r=${remaining};t=${resetS}`)
  }
  callers.set(request, caller)
  return true
}

/** What a handler asks for by its decorators. */
export function neededBy(context: ExecutionContext, method: string): Needed {
  const role = asked(context, ROLE) as ApiRole | undefined
  return {
    role: role ?? (method === 'GET' || method === 'HEAD' ? 'read' : 'admin'),
    platform: asked(context, PLATFORM) === true,
  }
}

function asked(context: ExecutionContext, key: string): unknown {
  return Reflect.getMetadata(key, context.getHandler()) ?? Reflect.getMetadata(key, context.getClass())
}

/** Who a request that was let in comes from. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request)
  if (!caller) throw new Error('the request was not let in by a KeyGuard')
  return caller
}

export const CalledBy = createParamDecorator((_: unknown, context: ExecutionContext) =>
  callerOf(context.switchToHttp().getRequest<FastifyRequest>()),
)

/** The tenant that the request is about: the key's, or what a key of the platform names by Posthorn-Tenant. */
export const TenantName = createParamDecorator(
  (_: unknown, context: ExecutionContext): string =>
    callerOf(context.switchToHttp().getRequest<FastifyRequest>()).tenant,
)

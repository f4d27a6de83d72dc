import { randomUUID } from 'node:crypto'
import { Metadata, status, type ServerUnaryCall } from '@grpc/grpc-js'
import {
  applyDecorators,
  Catch,
  Controller,
  createParamDecorator,
  Inject,
  Injectable,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common'
import { throwError, type Observable } from 'rxjs'
import { Authentication, type Caller } from './authentication.js'
import type { ClientAddresses } from './client-addresses.js'
import { ApiError, problemJson, type ErrorCode, type ProblemJson } from './errors.js'
import { neededBy } from './http-guard.js'
import type { ErrorLog } from './http-problem.js'
import { validated, type Dto } from './http-validation.js'
import { patchOf, plainOf, type JsonFields } from './grpc-message.js'

type Call = ServerUnaryCall<Record<string, unknown>, unknown>

/** What the gRPC edge needs of its service; provided under this name. */
export abstract class GrpcParts {
  abstract readonly log: ErrorLog
  /** Turns a failure that is known to the service into the answer for it. */
  abstract readonly mapError: (error: unknown) => ApiError | undefined
  /** Believes by x-forwarded-for only the proxies that it knows. */
  abstract readonly addresses: ClientAddresses
}

interface Known {
  readonly requestId: string
  caller?: Caller
}

const known = new WeakMap<Call, Known>()
const SANE_REQUEST_ID = /^[A-Za-z0-9._~+/=:-]{1,128}$/

/** Lets a call in by its metadata `authorization`, as KeyGuard does a request by its header. */
@Injectable()
export class GrpcKeyGuard implements CanActivate {
  constructor(
    @Inject(Authentication) private readonly authentication: Authentication,
    @Inject(GrpcParts) private readonly parts: GrpcParts,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const call = callOf(context)
    const about = aboutCall(call)
    const credentials = {
      authorization: textOf(call.metadata, 'authorization'),
      tenant: textOf(call.metadata, 'posthorn-tenant'),
      address: this.parts.addresses.of(peerOf(call.getPeer()), call.metadata.get('x-forwarded-for').join()),
      requestId: about.requestId,
    }
    about.caller = await this.authentication.caller(credentials, neededBy(context, onlyReads(call) ? 'GET' : 'POST'))
    return true
  }
}

/** Makes every failure a gRPC status; `error-code` has the code of the catalogue, `problem-bin` the whole problem. */
@Catch()
@Injectable()
export class GrpcProblemFilter implements ExceptionFilter {
  constructor(@Inject(GrpcParts) private readonly parts: GrpcParts) {}

  catch(exception: unknown, host: ArgumentsHost): Observable<never> {
    const { requestId } = aboutCall(host.getArgByIndex<Call>(2))
    const error = this.toApiError(exception, requestId)
    const metadata = new Metadata()
    metadata.set('error-code', error.code)
    metadata.set('request-id', requestId)
    metadata.set('problem-bin', trailerOf(problemJson(error, requestId)))
    if (error.status === 429 || error.status === 503) metadata.set('retry-after', String(error.retryAfterS))
    return throwError(() => ({ code: statusOf(error.code, error.status), details: shortened(error.message), metadata }))
  }

  private toApiError(exception: unknown, requestId: string): ApiError {
    if (exception instanceof ApiError) return exception
    const mapped = this.parts.mapError(exception)
    const error = mapped ?? new ApiError('internal', 'The failure was logged under this request id.')
    if (error.status === 500) this.parts.log.error({ err: exception, request_id: requestId }, 'a call failed')
    return error
  }
}

/** A gRPC edge: its methods are let in by a key, and their failures are problems. */
export const GrpcEdge = (...interceptors: (new (...parts: never[]) => NestInterceptor)[]) =>
  applyDecorators(
    Controller(),
    UseGuards(GrpcKeyGuard),
    UseFilters(GrpcProblemFilter),
    UseInterceptors(...interceptors),
  )

/** Who a call that was let in comes from. */
export function grpcCallerOf(call: Call): Caller {
  const caller = known.get(call)?.caller
  if (!caller) throw new Error('the call was not let in by a GrpcKeyGuard')
  return caller
}

export const GrpcCalledBy = createParamDecorator((_: unknown, context: ExecutionContext) =>
  grpcCallerOf(callOf(context)),
)

/** The message, or one field of it that is a message, checked against a DTO class: request_invalid with every fault. */
export function Message<T extends object>(dto: Dto<T>, field?: string, json?: JsonFields): ParameterDecorator {
  return createParamDecorator((_: unknown, context: ExecutionContext) => {
    const { request } = callOf(context)
    return validated(dto, plainOf(field === undefined ? request : request[field], json))
  })()
}

/** What an update changes: the message of `field`, read by `update_mask`. */
export function PatchMessage<T extends object>(dto: Dto<T>, field: string, json?: JsonFields): ParameterDecorator {
  return createParamDecorator((_: unknown, context: ExecutionContext) => {
    const { request } = callOf(context)
    const mask = request.update_mask as { readonly paths?: readonly string[] } | undefined
    return validated(dto, patchOf(request[field], mask?.paths, json))
  })()
}

/** The message without some fields, such as the id that a REST path has, checked against a DTO class. */
export function MessageWithout<T extends object>(dto: Dto<T>, ...fields: string[]): ParameterDecorator {
  return createParamDecorator((_: unknown, context: ExecutionContext) => {
    const rest = Object.entries(plainOf(callOf(context).request)).filter(([name]) => !fields.includes(name))
    return validated(dto, Object.fromEntries(rest))
  })()
}

/** Some fields of the message alone, such as those that a REST query has, checked against a DTO class. */
export function MessageFields<T extends object>(dto: Dto<T>, fields: string[], json?: JsonFields): ParameterDecorator {
  return createParamDecorator((_: unknown, context: ExecutionContext) => {
    const { request } = callOf(context)
    const some = fields.filter(name => Object.hasOwn(request, name)).map(name => [name, request[name]])
    return validated(dto, plainOf(Object.fromEntries(some), json))
  })()
}

/** A text field of the message; empty when it is not set. */
export function MessageText(field: string): ParameterDecorator {
  return createParamDecorator((_: unknown, context: ExecutionContext) => String(callOf(context).request[field] ?? ''))()
}

/** A number of the message; 0 when it is not set. */
export function MessageNumber(field: string): ParameterDecorator {
  return createParamDecorator((_: unknown, context: ExecutionContext) => Number(callOf(context).request[field] ?? 0))()
}

/** The version that `if_version` asks for. */
export const IfVersion = createParamDecorator(
  (_: unknown, context: ExecutionContext) => callOf(context).request.if_version as number | undefined,
)

export function callOf(context: ExecutionContext): Call {
  return context.getArgByIndex<Call>(2)
}

/** A method that changes nothing is named so, as a GET is. */
export function onlyReads(call: Call): boolean {
  return /\/(Get|List)\w+$/.test(call.getPath())
}

export function textOf(metadata: Metadata, name: string): string | undefined {
  const [value] = metadata.get(name)
  return typeof value === 'string' ? value : undefined
}

function aboutCall(call: Call): Known {
  let about = known.get(call)
  if (!about) {
    const given = textOf(call.metadata, 'x-request-id')
    about = { requestId: given !== undefined && SANE_REQUEST_ID.test(given) ? given : randomUUID() }
    known.set(call, about)
  }
  return about
}

/** `192.0.2.1:4711` or `[2001:db8::1]:4711`, without the port. */
function peerOf(peer: string): string {
  return peer.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
}

/** Trailers that are larger than 8 KiB, as base64 and with the details, end calls or whole connections. */
const PROBLEM_BYTES = 3 * 1024
const DETAIL_LENGTH = 300

/** The problem as JSON, with as many of its faults as fit. */
function trailerOf({ errors: all = [], ...problem }: ProblemJson): Buffer {
  const detail = shortened(problem.detail)
  for (let errors = all; ; errors = errors.slice(0, Math.floor(errors.length / 2))) {
    const json = Buffer.from(JSON.stringify({ ...problem, detail, ...(errors.length === 0 ? {} : { errors }) }))
    if (json.length <= PROBLEM_BYTES || errors.length === 0) return json
  }
}

/** Half a character, as a cut leaves it, cannot be sent as a status. */
function shortened(text: string): string {
  const short = text.length <= DETAIL_LENGTH ? text : `${text.slice(0, DETAIL_LENGTH)}…`
  return short.replace(/\p{Surrogate}/gu, '')
}

const BY_CODE: Partial<Record<ErrorCode, status>> = {
  tenant_exists: status.ALREADY_EXISTS,
  uid_taken: status.ALREADY_EXISTS,
  event_type_exists: status.ALREADY_EXISTS,
  quota_reached: status.RESOURCE_EXHAUSTED,
  idempotency_running: status.ABORTED,
}
const BY_STATUS: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  409: status.FAILED_PRECONDITION,
  412: status.ABORTED,
  413: status.INVALID_ARGUMENT,
  415: status.INVALID_ARGUMENT,
  422: status.INVALID_ARGUMENT,
  429: status.RESOURCE_EXHAUSTED,
  503: status.UNAVAILABLE,
}

function statusOf(code: ErrorCode, httpStatus: number): status {
  return BY_CODE[code] ?? BY_STATUS[httpStatus] ?? status.INTERNAL
}

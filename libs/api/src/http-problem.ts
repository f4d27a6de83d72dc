import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { trace } from '@opentelemetry/api'
import { readTraceparent } from '@posthorn/webhook'
import { ApiError, problemJson, PROBLEM_MEDIA_TYPE, type ErrorCode } from './errors.js'
import { drainBody } from './http-body.js'

/** What is needed of a logger here; the process's own fits. */
export interface ErrorLog {
  error(fields: object, message: string): void
}

/** Makes every failure of the HTTP edge the same kind of answer: problem+json with a stable code. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: ErrorLog,
    private readonly methodsOf: (path: string) => readonly string[],
    private readonly mapError: (error: unknown) => ApiError | undefined = () => undefined,
  ) {}

  async catch(exception: unknown, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp()
    const request = http.getRequest<FastifyRequest>()
    const reply = http.getResponse<FastifyReply>()
    const error = this.toApiError(exception, request, reply)
    if (error.status === 500)
      this.log.error({ err: exception, request_id: request.id, method: request.method }, 'a request failed')
    await sendProblem(request, reply, error)
  }

  private toApiError(exception: unknown, request: FastifyRequest, reply: FastifyReply): ApiError {
    if (exception instanceof ApiError) return exception
    const mapped = this.mapError(exception)
    if (mapped) return mapped
    const status = statusOf(exception)
    // A method of no route is that first, whatever Fastify finds to say about its headers.
    if (status === 404 || request.is404) return this.noRoute(request, reply)
    if (status === undefined) return new ApiError('internal', 'The failure was logged under this request id.')
    return new ApiError(CODE_OF_STATUS[status] ?? 'request_invalid', (exception as Error).message)
  }

  private noRoute(request: FastifyRequest, reply: FastifyReply): ApiError {
    const path = request.url.split('?', 1)[0]!
    const allowed = this.methodsOf(path)
    if (allowed.length === 0)
      return new ApiError('route_not_found', `There is nothing at ${request.method} ${shown(path)}.`)
    reply.header('allow', allowed.join(', '))
    return new ApiError('method_not_allowed', `${shown(path)} takes ${allowed.join(', ')}.`)
  }
}

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = { 413: 'body_too_large', 415: 'media_type_unsupported' }

/** The status of a failure that Nest or Fastify answers a client's mistake with. */
function statusOf(exception: unknown): number | undefined {
  const status =
    exception instanceof HttpException ? exception.getStatus() : (exception as { statusCode?: unknown })?.statusCode
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined
}

const shown = (path: string) => (path.length > 200 ? `${path.slice(0, 200)}…` : path)

function traceIdOf({ headers: { traceparent } }: FastifyRequest): string | undefined {
  return trace.getActiveSpan()?.spanContext().traceId ?? readTraceparent(traceparent)?.traceId
}

/**
 * Answers. A body that is too large is answered while it is still being uploaded: the whole answer
 * is written at once, but the connection is closed only after a bounded part of the rest was read
 * and thrown away. Closing at once would reset it, and the client would see no answer at all.
 */
export async function sendProblem(request: FastifyRequest, reply: FastifyReply, error: ApiError): Promise<void> {
  if (reply.sent) return
  const body = JSON.stringify(problemJson(error, request.id, traceIdOf(request)))
  reply.header('content-type', PROBLEM_MEDIA_TYPE).header('request-id', request.id).code(error.status)
  if (error.status === 401) reply.header('www-authenticate', 'Bearer')
  if (error.status === 503 || error.status === 429) reply.header('retry-after', String(error.retryAfterS))
  if (error.code !== 'body_too_large') {
    reply.serializer(String)
    await reply.send(body)
    return
  }
  reply.hijack()
  reply.raw.writeHead(error.status, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  })
  reply.raw.write(body)
  await drainBody(request.raw)
  reply.raw.end()
}

import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Server } from 'node:tls'
import type { DynamicModule, LoggerService } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { ApiError, problemJson, PROBLEM_MEDIA_TYPE } from './errors.js'
import { tlsOptions, type TlsSource } from './tls.js'
import { openApiOf, type OpenApiOptions } from './openapi.js'
import { serveOpenApi } from './openapi-page.js'
import { traceRequests } from './server-spans.js'
import { ProblemFilter, sendProblem, type ErrorLog } from './http-problem.js'

/*
 * The HTTP edge of ingest and registry: Nest on Fastify, with problem+json for every failure.
 *
 *   const app = await createHttpApp(IngestModule.with(context), {
 *     nestLogger: new NestLogger(context.logger), log: context.logger, bodyLimit: 8 * 1024 * 1024,
 *   })
 *   const address = await listen(app, settings.listenHost, settings.ingestPort)   // host:port
 *   …
 *   await app.close()
 *
 * In the module:      providers: [{ provide: APP_GUARD, useValue: new KeyGuard(authentication) }]
 * In the controller:  @Post('publish') @HttpCode(202)
 *                     publish(@TenantName() tenant: string, @BodyBytes() body: Buffer, @Req() request: FastifyRequest)
 *                     create(@JsonBody(CreateWebhookBody) body: CreateWebhookBody)
 *                     list(@QueryOf(ListQuery) query: ListQuery)
 * Handlers throw ApiError. Bodies are read by those decorators, after the guard: without a valid
 * key nothing of a body is kept. `request.body` is always undefined.
 */

export interface HttpAppOptions {
  readonly nestLogger: LoggerService
  /** Where failures of our own are logged, with the request id. */
  readonly log: ErrorLog
  /** Bytes of the largest body that is read; a larger one is answered 413. */
  readonly bodyLimit: number
  /** Turns a failure that is known to the service (its database is away) into the answer for it. */
  readonly mapError?: (error: unknown) => ApiError | undefined
  /** Addresses and CIDRs of proxies that say by X-Forwarded-For where a request came from. */
  readonly trustedProxies: readonly string[]
  /** Whether requests have spans. */
  readonly traced?: boolean
  /** Absent: plain HTTP. */
  readonly tls?: TlsSource | undefined
  /** Served at /openapi.json and /docs. */
  readonly openApi?: OpenApiOptions
}

/** A whole request, headers and body, has to arrive within this. */
const REQUEST_TIMEOUT_MS = 60_000
/** Ids in a path: a CloudEvents id has up to 256 characters, each percent-encoded up to 12. */
const MAX_PARAM_LENGTH = 4096
const SANE_REQUEST_ID = /^[A-Za-z0-9._~+/=:-]{1,128}$/

export async function createHttpApp(module: DynamicModule, options: HttpAppOptions): Promise<NestFastifyApplication> {
  const { tls } = options
  const adapter = new FastifyAdapter({
    ...(tls ? { https: tlsOptions(tls) } : {}),
    bodyLimit: options.bodyLimit,
    trustProxy: options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    requestTimeout: REQUEST_TIMEOUT_MS,
    return503OnClosing: false,
    skipMiddie: true,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    genReqId: (request: IncomingMessage) => saneRequestId(request.headers['x-request-id']) ?? randomUUID(),
    frameworkErrors: (error: Error, request: unknown, reply: unknown) =>
      void sendProblem(asRequest(request), asReply(reply), new ApiError('request_invalid', error.message)),
    clientErrorHandler: (error: Error, socket: Socket) => {
      if (socket.writable) socket.end(unreadable(error.message))
    },
  })
  if (options.traced) traceRequests(adapter.getInstance())
  const routes = new RouteMethods()
  let isClosing = false
  adapter
    .getInstance()
    .addHook('onRoute', route => routes.add(route))
    .addHook('onRequest', (request, reply, done) => {
      reply.header('request-id', request.id)
      done()
    })
    .addHook('preClose', done => {
      isClosing = true
      done()
    })
    .addHook('onSend', (_request, reply, _payload, done) => {
      // Kept alive after a request that was under way, its connection would hold up the close for 72 s.
      if (isClosing) reply.header('connection', 'close')
      done()
    })
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: options.nestLogger,
    abortOnError: false,
    bodyParser: false,
  })
  // Whatever the content type: the body stays in the socket until a handler's decorator reads it.
  const fastify = adapter.getInstance()
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined))
  if (options.openApi) serveOpenApi(app, openApiOf(app, options.openApi))
  if (tls) tls.onChange(material => (app.getHttpServer() as unknown as Server).setSecureContext({ ...material }))
  app.useGlobalFilters(new ProblemFilter(options.log, path => routes.of(path), options.mapError))
  return app
}

/** Listens; resolves with host:port. Rejects when the port is taken. */
export async function listen(app: NestFastifyApplication, host: string, port: number): Promise<string> {
  await app.listen(port, host)
  const address = app.getHttpServer().address() as AddressInfo
  return `${host}:${address.port}`
}

function saneRequestId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && SANE_REQUEST_ID.test(header) ? header : undefined
}

/** Which methods a path takes, for the Allow header of a 405: Fastify itself knows only "no route". */
class RouteMethods {
  private readonly routes: { readonly path: RegExp; readonly methods: readonly string[] }[] = []

  add(route: RouteOptions): void {
    const pattern = route.url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z]+/g, '[^/]+')
    this.routes.push({ path: new RegExp(`^${pattern}$`), methods: [route.method].flat() })
  }

  of(path: string): readonly string[] {
    return [...new Set(this.routes.filter(route => route.path.test(path)).flatMap(route => route.methods))]
  }
}

/** The answer to bytes that are no HTTP request at all; no request, hence no reply object, exists. */
function unreadable(message: string): string {
  const body = JSON.stringify(
    problemJson(new ApiError('request_invalid', `The request is not HTTP: ${message}`), randomUUID()),
  )
  const head = `content-type: ${PROBLEM_MEDIA_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`
  return `HTTP/1.1 400 Bad Request\r\n${head}\r\n\r\n${body}`
}

// Fastify's option callbacks are typed over any server; the adapter's is always plain HTTP/1.1.
const asRequest = (request: unknown) => request as FastifyRequest
const asReply = (reply: unknown) => reply as FastifyReply

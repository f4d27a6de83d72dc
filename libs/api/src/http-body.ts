import type { IncomingMessage } from 'node:http'
import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { parseJson as parseExactly } from '@posthorn/webhook'
import { documentBody, documentQuery } from './documented.js'
import { ApiError } from './errors.js'
import { validated, type Dto } from './http-validation.js'

/** How much of a refused upload is read and thrown away, so that its sender can read the answer. */
const DRAIN_BYTES = 64 * 1024 * 1024
const DRAIN_MS = 10_000

const JSON_TYPE = 'application/json'

const bodies = new WeakMap<FastifyRequest, Promise<Buffer>>()

/** The request's body as bytes, however often it is asked for. Rejects as readBody does. */
export function bodyOf(request: FastifyRequest): Promise<Buffer> {
  let body = bodies.get(request)
  if (!body) bodies.set(request, (body = readBody(request)))
  return body
}

/** The request's body as bytes, at most the app's bodyLimit; empty when there is none. 413 beyond. */
export const BodyBytes = createParamDecorator((_: unknown, context: ExecutionContext) =>
  bodyOf(context.switchToHttp().getRequest<FastifyRequest>()),
)

/** The JSON body checked against a DTO class: 415, 400 body_invalid, or 400 request_invalid with every fault. */
export function JsonBody<T extends object>(dto: Dto<T>, ...otherTypes: string[]): ParameterDecorator {
  const types = [JSON_TYPE, ...otherTypes]
  const read = createParamDecorator(async (_: unknown, context: ExecutionContext) => {
    const request = context.switchToHttp().getRequest<FastifyRequest>()
    requireMediaType(request, types)
    return validated(dto, parseJson(await bodyOf(request), parseExactly))
  })()
  return (target, property, index) => {
    documentBody(target, property!, dto, types)
    read(target, property, index)
  }
}

/** The same where a request may have no body at all, which then is an empty object. */
export function OptionalJsonBody<T extends object>(dto: Dto<T>): ParameterDecorator {
  const read = createParamDecorator(async (_: unknown, context: ExecutionContext) => {
    const request = context.switchToHttp().getRequest<FastifyRequest>()
    const body = await bodyOf(request)
    if (body.length === 0) return validated(dto, {})
    requireMediaType(request, [JSON_TYPE])
    return validated(dto, parseJson(body, parseExactly))
  })()
  return (target, property, index) => {
    documentBody(target, property!, dto, [JSON_TYPE], false)
    read(target, property, index)
  }
}

/** The query's parameters checked against a DTO class: 400 request_invalid with every fault. */
export function QueryOf<T extends object>(dto: Dto<T>): ParameterDecorator {
  const read = createParamDecorator((_: unknown, context: ExecutionContext) =>
    validated(dto, { ...(context.switchToHttp().getRequest<FastifyRequest>().query as object) }),
  )()
  return (target, property, index) => {
    documentQuery(target, property!, dto)
    read(target, property, index)
  }
}

/** Reads the body, whatever its content type. Throws ApiError body_too_large, media_type_unsupported (encoded). */
export async function readBody(request: FastifyRequest): Promise<Buffer> {
  const limit = request.routeOptions.bodyLimit
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new ApiError(
      'media_type_unsupported',
      `The content-encoding "${encoding}" is not taken: send the body plain.`,
    )
  const tooLarge = () => new ApiError('body_too_large', `The body has more than ${limit} bytes.`)
  if (Number(request.headers['content-length']) > limit) throw tooLarge()
  return new Promise((resolve, reject) => {
    const stream = request.raw
    const chunks: Buffer[] = []
    let size = 0
    const settle = (finish: () => void) => {
      stream.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
      finish()
    }
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) settle(() => reject(tooLarge()))
      else chunks.push(chunk)
    }
    const onEnd = () => settle(() => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)))
    const onGone = () => settle(() => reject(new ApiError('body_invalid', 'The upload ended before its body did.')))
    stream.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone)
  })
}

/** Reads on and throws away until the upload ends, or the bound in bytes or time is reached. */
export function drainBody(stream: IncomingMessage): Promise<void> {
  return new Promise(resolve => {
    let left = DRAIN_BYTES
    const finish = () => {
      clearTimeout(timer)
      stream.off('data', onData).off('end', finish).off('close', finish).off('error', finish)
      resolve()
    }
    const onData = (chunk: Buffer) => {
      left -= chunk.length
      if (left <= 0) finish()
    }
    const timer = setTimeout(finish, DRAIN_MS)
    if (stream.readableEnded || stream.destroyed) return finish()
    stream.on('data', onData).on('end', finish).on('close', finish).on('error', finish).resume()
  })
}

/** The media type of the request's body in lower case, without parameters; '' when the header is absent. */
export function mediaType(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()
}

function requireMediaType(request: FastifyRequest, types: readonly string[]): void {
  const type = mediaType(request)
  if (types.includes(type)) return
  const sent = type === '' ? 'The request has no content-type' : `The content-type "${type}" is not taken here`
  throw new ApiError('media_type_unsupported', `${sent}: send ${types.join(' or ')}.`)
}

/** Throws ApiError body_invalid when the bytes are no UTF-8 or no JSON, as `parse` knows it. */
export function parseJson(body: Buffer, parse: (text: string) => unknown = JSON.parse): unknown {
  if (body.length === 0) throw new ApiError('body_invalid', 'The body is empty; a JSON body is needed.')
  try {
    return parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (error) {
    throw new ApiError('body_invalid', `The body is not JSON in UTF-8: ${(error as Error).message}`)
  }
}

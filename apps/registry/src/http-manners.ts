import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common'
import { bodyOf, callerOf, etagOf, mediaType } from '@posthorn/api'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { from, lastValueFrom, type Observable } from 'rxjs'
import { IdempotentAnswers } from './idempotent-answers.js'

interface Kept {
  readonly body: unknown
  readonly location: string | undefined
}

/** What every route does alike: the ETag of what has a version, and Idempotency-Key on every POST. */
@Injectable()
export class HttpManners implements NestInterceptor {
  constructor(@Inject(IdempotentAnswers) private readonly idempotent: IdempotentAnswers) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle()
    const http = context.switchToHttp()
    return from(this.answer(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), next))
  }

  private async answer(request: FastifyRequest, reply: FastifyReply, next: CallHandler): Promise<unknown> {
    const body = await this.run(request, reply, () => lastValueFrom(next.handle(), { defaultValue: undefined }))
    const version = (body as { version?: unknown } | undefined)?.version
    if (typeof version === 'number') reply.header('etag', etagOf(version))
    return body
  }

  private async run(request: FastifyRequest, reply: FastifyReply, handle: () => Promise<unknown>): Promise<unknown> {
    const key = request.headers['idempotency-key']
    if (request.method !== 'POST' || typeof key !== 'string') return handle()
    const parts = [request.method, request.url, mediaType(request), await bodyOf(request)]
    const { answer, replayed } = await this.idempotent.once<Kept>(
      { caller: callerOf(request), key, parts },
      async () => {
        const body = await handle()
        return { body, location: reply.getHeader('location') as string | undefined }
      },
    )
    if (replayed) reply.header('idempotent-replayed', 'true')
    if (answer.location !== undefined) reply.header('location', answer.location)
    return answer.body
  }
}

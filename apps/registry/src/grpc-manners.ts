import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common'
import { ApiError, callOf, grpcCallerOf, onlyReads, textOf } from '@posthorn/api'
import { from, lastValueFrom, tap, type Observable } from 'rxjs'
import { IdempotentAnswers } from './idempotent-answers.js'
import { storeProblem } from './problems.js'
import { RequestMetrics } from './request-metrics.js'

/** The metadata `idempotency-key` on every method that changes something, as the header on a POST; and the time that calls take. */
@Injectable()
export class GrpcManners implements NestInterceptor {
  constructor(
    @Inject(IdempotentAnswers) private readonly idempotent: IdempotentAnswers,
    @Inject(RequestMetrics) private readonly metrics: RequestMetrics,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const startedAt = performance.now()
    const called = (code: string) => this.metrics.called(callOf(context).getPath(), code, performance.now() - startedAt)
    return this.answer(context, next).pipe(
      tap({ complete: () => called('ok'), error: (error: unknown) => called(codeOf(error)) }),
    )
  }

  private answer(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const call = callOf(context)
    const key = textOf(call.metadata, 'idempotency-key')
    if (key === undefined || onlyReads(call)) return next.handle()
    const parts = [call.getPath(), JSON.stringify(call.request)]
    const once = this.idempotent.once({ caller: grpcCallerOf(call), key, parts }, () => lastValueFrom(next.handle()))
    return from(once.then(({ answer }) => answer))
  }
}

function codeOf(error: unknown): string {
  return (error instanceof ApiError ? error : storeProblem(error))?.code ?? 'internal'
}

import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common'
import { callOf, grpcCallerOf, onlyReads, textOf } from '@posthorn/api'
import { from, lastValueFrom, type Observable } from 'rxjs'
import { IdempotentAnswers } from './idempotent-answers.js'

/** The metadata `idempotency-key` on every method that changes something, as the header on a POST. */
@Injectable()
export class GrpcManners implements NestInterceptor {
  constructor(@Inject(IdempotentAnswers) private readonly idempotent: IdempotentAnswers) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const call = callOf(context)
    const key = textOf(call.metadata, 'idempotency-key')
    if (key === undefined || onlyReads(call)) return next.handle()
    const parts = [call.getPath(), JSON.stringify(call.request)]
    const once = this.idempotent.once({ caller: grpcCallerOf(call), key, parts }, () => lastValueFrom(next.handle()))
    return from(once.then(({ answer }) => answer))
  }
}

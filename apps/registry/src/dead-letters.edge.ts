import { Controller, HttpCode, Post } from '@nestjs/common'
import { Answers, CalledBy, DiscardDeadLettersBody, DiscardedView, Does, JsonBody, type Caller } from '@posthorn/api'
import { DeadLetterCases } from './dead-letters.js'

@Controller('v1/dead-letters')
export class DeadLettersEdge {
  constructor(private readonly deadLetters: DeadLetterCases) {}

  @Post('discard')
  @Does('Discard dead letters')
  @HttpCode(200)
  @Answers(200, DiscardedView)
  discard(
    @CalledBy() caller: Caller,
    @JsonBody(DiscardDeadLettersBody) body: DiscardDeadLettersBody,
  ): Promise<DiscardedView> {
    return this.deadLetters.discard(caller, body)
  }
}

import { GrpcMethod } from '@nestjs/microservices'
import { DiscardDeadLettersBody, GrpcCalledBy, GrpcEdge, Message, messageOf, type Caller } from '@posthorn/api'
import { DeadLetterCases } from './dead-letters.js'
import { GrpcManners } from './grpc-manners.js'

@GrpcEdge(GrpcManners)
export class DeadLettersGrpc {
  constructor(private readonly deadLetters: DeadLetterCases) {}

  @GrpcMethod('HistoryService', 'DiscardDeadLetters')
  async discard(
    @GrpcCalledBy() caller: Caller,
    @Message(DiscardDeadLettersBody) body: DiscardDeadLettersBody,
  ): Promise<unknown> {
    return messageOf(await this.deadLetters.discard(caller, body))
  }
}

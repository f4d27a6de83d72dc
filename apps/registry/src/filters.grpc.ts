import { GrpcMethod } from '@nestjs/microservices'
import { GrpcEdge, Message, messageOf, Needs, testFilter, TestFilterBody } from '@posthorn/api'
import { GrpcManners } from './grpc-manners.js'

@GrpcEdge(GrpcManners)
export class FiltersGrpc {
  @GrpcMethod('FilterService', 'TestFilter')
  @Needs('read')
  test(@Message(TestFilterBody, undefined, { pattern: 'struct', event: 'struct' }) body: TestFilterBody): unknown {
    return messageOf(testFilter(body))
  }
}

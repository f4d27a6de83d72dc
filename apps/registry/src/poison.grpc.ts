import { GrpcMethod } from '@nestjs/microservices'
import { GrpcCalledBy, GrpcEdge, ListPoisonQuery, Message, messageOf, MessageText, type Caller } from '@posthorn/api'
import { GrpcManners } from './grpc-manners.js'
import { PoisonCases } from './poison.js'

const SERVICE = 'HistoryService'

@GrpcEdge(GrpcManners)
export class PoisonGrpc {
  constructor(private readonly poison: PoisonCases) {}

  @GrpcMethod(SERVICE, 'ListPoison')
  async list(@GrpcCalledBy() caller: Caller, @Message(ListPoisonQuery) query: ListPoisonQuery): Promise<unknown> {
    return messageOf(await this.poison.list(caller, query))
  }

  @GrpcMethod(SERVICE, 'GetPoison')
  async get(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.poison.get(caller, id))
  }

  @GrpcMethod(SERVICE, 'RedrivePoison')
  async redrive(@GrpcCalledBy() caller: Caller, @MessageText('id') id: string): Promise<unknown> {
    return messageOf(await this.poison.redrive(caller, id))
  }
}

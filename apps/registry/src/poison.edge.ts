import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common'
import {
  Answers,
  AnswersList,
  CalledBy,
  Does,
  ListPoisonQuery,
  PoisonView,
  QueryOf,
  type Caller,
  type ListView,
} from '@posthorn/api'
import { PoisonCases } from './poison.js'

@Controller('v1/poison')
export class PoisonEdge {
  constructor(private readonly poison: PoisonCases) {}

  @Get()
  @Does('List records that were not accepted')
  @AnswersList(PoisonView)
  list(@CalledBy() caller: Caller, @QueryOf(ListPoisonQuery) query: ListPoisonQuery): Promise<ListView<PoisonView>> {
    return this.poison.list(caller, query)
  }

  @Get(':id')
  @Does('Read a record that was not accepted')
  @Answers(200, PoisonView)
  get(@CalledBy() caller: Caller, @Param('id') id: string): Promise<PoisonView> {
    return this.poison.get(caller, id)
  }

  @Post(':id/redrive')
  @Does('Put a record back on its topic')
  @HttpCode(200)
  @Answers(200, PoisonView)
  redrive(@CalledBy() caller: Caller, @Param('id') id: string): Promise<PoisonView> {
    return this.poison.redrive(caller, id)
  }
}

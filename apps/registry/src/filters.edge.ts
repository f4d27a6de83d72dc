import { Controller, HttpCode, Post } from '@nestjs/common'
import { Answers, Does, FilterTestView, JsonBody, Needs, testFilter, TestFilterBody } from '@posthorn/api'

/** Tries a pattern before a webhook has it. Nothing is kept. */
@Controller('v1/filters')
export class FiltersEdge {
  @Post('test')
  @Does('Try a filter')
  @HttpCode(200)
  @Needs('read')
  @Answers(200, FilterTestView)
  test(@JsonBody(TestFilterBody) body: TestFilterBody): FilterTestView {
    return testFilter(body)
  }
}

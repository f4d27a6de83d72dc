import { Transform } from 'class-transformer'
import { IsOptional, IsString } from 'class-validator'
import { Documented } from './documented.js'
import { Faults } from './http-validation.js'

const MAX_LIMIT = 250
const LIMIT_FAULT = [{ pointer: '', message: `must be a whole number from 1 to ${MAX_LIMIT}` }]

/** What every list takes. */
export class ListQuery {
  @Transform(({ value }) => (/^\d{1,4}$/.test(String(value)) ? Number(value) : value))
  @Faults(limit => (typeof limit === 'number' && limit >= 1 && limit <= MAX_LIMIT ? [] : LIMIT_FAULT), {
    type: 'integer',
    minimum: 1,
    maximum: MAX_LIMIT,
    default: 50,
    required: false,
    description: 'How many a page has at most.',
  })
  limit = 50

  @Documented({ type: 'string', required: false, description: 'next_cursor of the page before.' })
  @IsOptional()
  @IsString({ message: 'must be one next_cursor' })
  cursor?: string
}

/** One page of any list; next_cursor is null on the last one. */
export interface ListView<T> {
  readonly data: readonly T[]
  readonly next_cursor: string | null
}

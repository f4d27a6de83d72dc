import type { Format } from 'ajv'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { spend } from './check-budget.js'
import { CHECK_LIMITS } from './schema-limits.js'

/** What JSON Schema defines, as far as ajv-formats has it: the international ones are missing. */
const NAMES = [
  'date',
  'time',
  'date-time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uri-reference',
  'uri-template',
  'uuid',
  'json-pointer',
  'relative-json-pointer',
  'regex',
] as const

/** Their expressions backtrack: the time is bounded by the square of the length, at some ns. */
const SQUARE_PER_STEP = 256

/** A text longer than the limit has no format, whichever. */
export const FORMATS: ReadonlyMap<string, (text: string) => boolean> = new Map(
  NAMES.map(name => {
    const holds = checkOf(fullFormats[name])
    const check = (text: string) => {
      if (text.length > CHECK_LIMITS.formatLength) return false
      spend(1 + Math.floor(text.length ** 2 / SQUARE_PER_STEP))
      return holds(text)
    }
    return [name, check]
  }),
)

function checkOf(format: Format): (text: string) => boolean {
  if (format instanceof RegExp) return text => format.test(text)
  if (typeof format === 'function') return format as (text: string) => boolean
  if (typeof format === 'object') return checkOf(format.validate as Format)
  throw new Error('a format of ajv-formats has a form that is not known here')
}

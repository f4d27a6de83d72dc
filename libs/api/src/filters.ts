import { checkPattern, explainPattern, type FilterPattern, type Problem } from '@posthorn/webhook'
import { Documented } from './documented.js'
import { Faults } from './http-validation.js'

const OBJECT = { type: 'object', additionalProperties: true } as const

function eventFaults(event: unknown): Problem[] {
  const isObject = typeof event === 'object' && event !== null && !Array.isArray(event)
  return isObject ? [] : [{ pointer: '', message: 'must be a JSON object' }]
}

/** POST /v1/filters/test */
export class TestFilterBody {
  static readonly example = {
    pattern: { type: [{ prefix: 'order.' }], data: { total: [{ numeric: ['>', 100] }] } },
    event: { type: 'order.paid', data: { total: 120 } },
  }

  @Faults(checkPattern, { ...OBJECT, description: 'The pattern, applied to the root of the event.' })
  pattern: FilterPattern

  @Faults(eventFaults, { ...OBJECT, description: 'Any JSON object, such as {"type": …, "data": …}.' })
  event: object
}

class FilterMissView {
  @Documented({ type: 'string', description: 'JSON Pointer into the pattern.' }) readonly pointer: string
  @Documented({ type: 'string' }) readonly message: string
}

/** Whether the event fits, and if not, the fields of each alternative that fail. */
export class FilterTestView {
  @Documented({ type: 'boolean' }) readonly matches: boolean
  @Documented({ type: () => [FilterMissView] }) readonly why: readonly FilterMissView[]
}

export function testFilter({ pattern, event }: TestFilterBody): FilterTestView {
  const why = explainPattern(pattern, event)
  return { matches: why.length === 0, why }
}

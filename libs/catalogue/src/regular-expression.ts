import { RE2JS } from 're2js'
import { SCHEMA_LIMITS } from './schema-limits.js'

/** Time grows with length × program, by 50 ns at worst: a step of the budget stands for this much of it. */
const WORK_PER_STEP = 16

/**
 * A regular expression that runs in linear time. JavaScript's own backtracks: `(a+)+$` takes longer than
 * the age of the world on 60 characters, and even `a+$` is quadratic on the 256 KiB that one text may have.
 */
export class LinearExpression {
  private readonly expression: RE2JS
  private readonly program: number

  /** Throws an Error that says what cannot be taken. */
  constructor(readonly pattern: string) {
    if (pattern.length > SCHEMA_LIMITS.patternLength)
      throw new Error(`has ${pattern.length} characters; at most ${SCHEMA_LIMITS.patternLength} are taken`)
    const fault = unsupported(pattern)
    if (fault !== undefined) throw new Error(fault)
    this.expression = compile(pattern)
    this.program = this.expression.programSize()
    if (this.program > SCHEMA_LIMITS.patternProgram)
      throw new Error('is too large once its repetitions are written out')
  }

  test(text: string): boolean {
    return this.expression.test(text)
  }

  /** What testing this text costs, in steps of the budget. */
  cost(text: string): number {
    return 1 + Math.ceil((text.length * this.program) / WORK_PER_STEP)
  }
}

/** What RE2 would take in another meaning than JavaScript does, or not at all. */
function unsupported(pattern: string): string | undefined {
  try {
    new RegExp(pattern, 'u')
  } catch (error) {
    return `is not a regular expression of ECMA-262 with Unicode: ${(error as Error).message}`
  }
  if (/\(\?<?[=!]/.test(pattern)) return 'must not look ahead or behind: such expressions have no bound in time'
  if (/\\[1-9k]/.test(pattern)) return 'must not refer back to a group: such expressions have no bound in time'
  if (pattern.includes('[[:') || pattern.includes('[^[:')) return 'must not have [: in a class'
  return undefined
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(pattern))
  } catch (error) {
    throw new Error(`is not taken: ${(error as Error).message}`, { cause: error })
  }
}

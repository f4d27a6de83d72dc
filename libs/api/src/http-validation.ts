import { plainToInstance } from 'class-transformer'
import { registerDecorator, validateSync, type ValidationError } from 'class-validator'
import { escapePointer, type Problem } from '@posthorn/webhook'
import { Documented, type FieldSchema } from './documented.js'
import { ApiError } from './errors.js'

export type Dto<T extends object> = new () => T

/** More than any DTO has: the validator's time for unknown fields grows with their square. */
const MAX_FIELDS = 100

/** Fields that the design has a place for and this version does not take yet. */
const PLANNED = new Set(['preset'])

/**
 * A check of one field that finds several faults, each with its pointer below the field; `schema` says
 * the same in the OpenAPI document.
 */
export function Faults(check: (value: unknown) => readonly Problem[], schema: FieldSchema = {}): PropertyDecorator {
  return (target, property) => {
    Documented(schema)(target, property)
    registerDecorator({
      name: 'faults',
      target: target.constructor,
      propertyName: String(property),
      // class-validator knows one message a constraint: this one carries the list.
      validator: {
        validate: value => check(value).length === 0,
        defaultMessage: context => JSON.stringify(check(context?.value)),
      },
    })
  }
}

/** An instance of the DTO class, or ApiError request_invalid with every fault by its JSON Pointer. */
export function validated<T extends object>(dto: Dto<T>, input: unknown): T {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw invalid([{ pointer: '', message: 'must be a JSON object' }])
  if (Object.keys(input).length > MAX_FIELDS)
    throw invalid([{ pointer: '', message: `must have at most ${MAX_FIELDS} fields` }])
  // As a member of the instance it would hide the class from the validator.
  if (Object.hasOwn(input, 'constructor')) throw invalid([{ pointer: '/constructor', message: 'is not a known field' }])
  const unfit = unstorable(input, '')
  if (unfit.length > 0) throw invalid(unfit)
  const instance = instanceOf(dto, input)
  const errors = validateSync(instance, { whitelist: true, forbidNonWhitelisted: true })
  const problems = errors.flatMap(error => problemsOf(error, ''))
  if (problems.length > 0) throw invalid(problems)
  return instance
}

/** Objects and arrays stand as they came: class-transformer would lose their members with names such as "toString". */
function instanceOf<T extends object>(dto: Dto<T>, input: object): T {
  const isNested = ([, value]: [string, unknown]) => typeof value === 'object' && value !== null
  const entries = Object.entries(input)
  const plain = Object.fromEntries(entries.filter(entry => !isNested(entry)))
  return Object.assign(plainToInstance(dto, plain), Object.fromEntries(entries.filter(isNested)))
}

function invalid(problems: readonly Problem[]): ApiError {
  const [first] = problems
  const rest = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return new ApiError('request_invalid', `${first!.pointer || 'The body'} ${first!.message}${rest}.`, problems)
}

function problemsOf(error: ValidationError, above: string): Problem[] {
  const pointer = `${above}/${escapePointer(error.property)}`
  const { faults, whitelistValidation, ...others } = error.constraints ?? {}
  const own = Object.values(others).map(message => ({ pointer, message }))
  if (whitelistValidation !== undefined) own.push({ pointer, message: unknownField(error.property) })
  if (faults !== undefined)
    own.push(...(JSON.parse(faults) as Problem[]).map(fault => ({ ...fault, pointer: pointer + fault.pointer })))
  return [...own, ...(error.children ?? []).flatMap(child => problemsOf(child, pointer))]
}

function unknownField(name: string): string {
  return PLANNED.has(name) ? 'is not supported by this version yet' : 'is not a known field'
}

/** Text that Postgres cannot keep: the character U+0000, and halves of surrogate pairs. */
const UNSTORABLE = /[\0\p{Surrogate}]/u

function unstorable(value: unknown, pointer: string): Problem[] {
  if (typeof value === 'string')
    return UNSTORABLE.test(value) ? [{ pointer, message: 'must not contain U+0000 or half a surrogate pair' }] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const below = `${pointer}/${escapePointer(name)}`
    if (name === '__proto__') return [{ pointer: below, message: 'is not a known field' }]
    return [...unstorable(name, below), ...unstorable(inner, below)]
  })
}

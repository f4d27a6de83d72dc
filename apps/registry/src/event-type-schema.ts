import { ApiError, type EventTypeCheckView, type SchemaBreakView } from '@posthorn/api'
import { breaksBetween, compileSchema, type Break, type CompiledSchema } from '@posthorn/catalogue'
import type { Problem } from '@posthorn/webhook'

/** What a schema that somebody sent comes to, compared with the one that there is. */
export interface CheckedSchema {
  readonly compiled: CompiledSchema
  readonly breaks: readonly Break[]
  /** What the schema allows that the one before did not: news for receivers. */
  readonly news: readonly Break[]
}

/** Compiles and compares a schema. Throws ApiError request_invalid with the places in it. */
export function checkedSchema(schema: object, before: object | null): CheckedSchema {
  const compiled = compiledSchema(schema)
  const older = before === null ? undefined : compiledSchema(before).schema
  return {
    compiled,
    breaks: older ? breaksBetween(older, compiled.schema) : [],
    news: older ? breaksBetween(compiled.schema, older) : [],
  }
}

function compiledSchema(schema: object): CompiledSchema {
  const result = compileSchema(schema)
  if (result.kind === 'bad') throw invalid(below('/schema', result.problems))
  return result.compiled
}

/** Throws ApiError event_type_incompatible unless that was asked for. */
export function requireCompatible({ breaks }: CheckedSchema, allowBreaking: boolean): void {
  if (breaks.length === 0 || allowBreaking) return
  const problems = breaks.map(({ pointer, data, message }) => ({
    pointer: `/schema${pointer}`,
    message: data === '' ? message : `${message} (in the data at ${data})`,
  }))
  throw new ApiError('event_type_incompatible', sentence(problems), problems)
}

/** Throws ApiError request_invalid when the example does not fit; `hint` says whose example it is. */
export function requireExample({ compiled }: CheckedSchema, example: object | null, hint = ''): void {
  if (example === null) return
  const problems = faultsOf(compiled, example).map(({ pointer, message }) => ({ pointer, message: message + hint }))
  if (problems.length > 0) throw invalid(below('/example', problems))
}

export function faultsOf(compiled: CompiledSchema, data: unknown): Problem[] {
  return compiled.check(data, Buffer.byteLength(JSON.stringify(data)))
}

export function checkView({ compiled, breaks, news }: CheckedSchema, faults: readonly Problem[]): EventTypeCheckView {
  return {
    compatible: breaks.length === 0,
    breaks: breaks.map(breakView),
    news: news.map(breakView),
    warnings: warningsOf(compiled),
    faults: faults.map(detailed),
  }
}

export const breakView = ({ pointer, data, message }: Break): SchemaBreakView => ({ pointer, data, message })

export function warningsOf({ schema }: CompiledSchema): EventTypeCheckView['warnings'] {
  return schema.warnings.map(detailed)
}

const detailed = ({ pointer, message }: Problem) => ({ pointer, detail: message })

const below = (above: string, problems: readonly Problem[]) =>
  problems.map(({ pointer, message }) => ({ pointer: above + pointer, message }))

export function invalid(problems: readonly Problem[]): ApiError {
  return new ApiError('request_invalid', sentence(problems), problems)
}

function sentence([first, ...more]: readonly Problem[]): string {
  const rest = more.length > 0 ? ` (and ${more.length} more)` : ''
  return `${first!.pointer} ${first!.message}${rest}.`
}

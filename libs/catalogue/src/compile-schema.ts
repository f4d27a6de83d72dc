import type { ValidateFunction } from 'ajv'
import type { Problem } from '@posthorn/webhook'
import { within } from './check-budget.js'
import { problemsOf } from './fault.js'
import { readSchema, type ReadSchema, type Schema } from './read-schema.js'
import { compile, metaSchemaOf } from './schema-compiler.js'
import { CHECK_LIMITS } from './schema-limits.js'

/** A schema that can be checked against, as often as one likes. */
export interface CompiledSchema {
  readonly schema: Schema
  /** The faults of a JSON value of so many bytes, by JSON Pointer into it; none when it fits. */
  check(data: unknown, bytes: number): Problem[]
}

export type SchemaResult =
  | { readonly kind: 'compiled'; readonly compiled: CompiledSchema }
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] }

/** Problems of a schema that are told at once. */
const MAX_PROBLEMS = 50

/**
 * Reads, checks and compiles what JSON.parse made of a schema. Pointers of problems lead into the schema.
 * Costs milliseconds: the caller keeps what it gets.
 */
export function compileSchema(json: unknown): SchemaResult {
  const read = readSchema(json)
  if (read.kind === 'bad') return read
  const faults = metaFaults(json, read.schema)
  if (faults.length > 0) return { kind: 'bad', problems: faults }
  return compiledFrom(read.schema)
}

/** Compiles what was accepted before: its dialect's own schema is not asked again. */
export function recompile(json: unknown): SchemaResult {
  const read: ReadSchema = readSchema(json)
  return read.kind === 'bad' ? read : compiledFrom(read.schema)
}

function compiledFrom(schema: Schema): SchemaResult {
  try {
    return { kind: 'compiled', compiled: { schema, check: checkOf(schema, compile(schema, false)) } }
  } catch (error) {
    return { kind: 'bad', problems: [{ pointer: '', message: `cannot be compiled: ${(error as Error).message}` }] }
  }
}

/** The dialect's own schema knows what each keyword's value must look like. */
function metaFaults(json: unknown, { dialect }: Schema): Problem[] {
  const ajv = metaSchemaOf(dialect)
  // $id and $schema of the customer's choice must not select another schema to check against.
  const plain = typeof json === 'object' ? { ...json, $schema: undefined, $id: undefined } : json
  const outcome = within(Infinity, () => ajv.validateSchema(plain as object))
  if (outcome.kind === 'spent') return [{ pointer: '', message: 'is nested too deeply' }]
  return outcome.value === true ? [] : problemsOf(ajv.errors ?? [], MAX_PROBLEMS)
}

/**
 * Whether an event fits is found out first, stopping at its first fault: that is the case to be fast in.
 * Only one that does not is checked again for all its faults, by a function that is made when first needed.
 */
function checkOf(schema: Schema, first: ValidateFunction): CompiledSchema['check'] {
  let all: ValidateFunction | undefined
  return (data, bytes) => {
    const steps = Math.min(CHECK_LIMITS.steps, CHECK_LIMITS.stepsAtLeast + CHECK_LIMITS.stepsPerByte * bytes)
    const quick = within(steps, () => first(data))
    if (quick.kind === 'spent') return [{ pointer: '', message: 'takes too long to check against its schema' }]
    if (quick.value === true) return []
    const [one] = problemsOf(first.errors ?? [], 1)
    first.errors = null
    all ??= compile(schema, true)
    const whole = within(Math.min(steps, CHECK_LIMITS.stepsForAllFaults), () => all!(data))
    const problems = whole.kind === 'spent' ? [] : problemsOf(all.errors ?? [], CHECK_LIMITS.faults)
    all.errors = null
    return problems.length > 0 ? problems : [one ?? { pointer: '', message: 'does not fit its schema' }]
  }
}

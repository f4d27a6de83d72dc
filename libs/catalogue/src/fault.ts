import type { ErrorObject } from 'ajv'
import { escapePointer, type Problem } from '@posthorn/webhook'

const MAX_ALTERNATIVES = 10
const MAX_TEXT = 200

/** ajv's errors as problems: pointers into the data, sentences without a word of it. The surest come first. */
export function problemsOf(errors: readonly ErrorObject[], most: number): Problem[] {
  const found = new Map<string, { readonly problem: Problem; times: number }>()
  for (const error of withoutEchoes(errors)) {
    const problem = problemOf(error)
    const key = `${problem.pointer} ${problem.message}`
    const known = found.get(key)
    if (known) known.times++
    else found.set(key, { problem, times: 1 })
  }
  // What every alternative of an anyOf complains about is wrong whichever was meant.
  const sorted = [...found.values()].sort((a, b) => b.times - a.times)
  return sorted.slice(0, most).map(({ problem }) => problem)
}

function problemOf(error: ErrorObject): Problem {
  const { keyword, instancePath, params } = error
  const below = (name: unknown) => `${instancePath}/${escapePointer(String(name))}`
  switch (keyword) {
    case 'required':
      return { pointer: below(params.missingProperty), message: 'is required' }
    case 'dependentRequired':
    case 'dependencies':
      return { pointer: below(params.missingProperty), message: `is required beside ${short(params.property)}` }
    case 'additionalProperties':
      return { pointer: below(params.additionalProperty), message: 'is not allowed here' }
    case 'unevaluatedProperties':
      return { pointer: below(params.unevaluatedProperty), message: 'is not allowed here' }
    case 'propertyNames':
      return { pointer: below(params.propertyName), message: 'has a name that is not allowed' }
    case 'false schema':
      return { pointer: instancePath, message: 'is not allowed here' }
    case 'type':
      return { pointer: instancePath, message: `must be ${typesOf(params.type)}` }
    case 'enum':
      return { pointer: instancePath, message: `must be ${alternatives(params.allowedValues)}` }
    case 'const':
      return { pointer: instancePath, message: `must be ${short(params.allowedValue)}` }
    case 'posthorn:const':
    case 'posthorn:enum':
      return { pointer: instancePath, message: 'must be one of the values that its schema lists' }
    case 'uniqueItems':
      return { pointer: instancePath, message: 'must not have the same item twice' }
    case 'anyOf':
      return { pointer: instancePath, message: 'fits none of the forms that it may have' }
    case 'oneOf':
      return {
        pointer: instancePath,
        message: params.passingSchemas
          ? 'fits more than one of the forms that exclude each other'
          : 'fits none of the forms that it may have',
      }
    default:
      return { pointer: instancePath, message: error.message ?? `does not meet "${keyword}"` }
  }
}

function typesOf(type: unknown): string {
  const names = Array.isArray(type) ? type.map(String) : String(type).split(',')
  return names
    .map(name => (name === 'integer' ? 'a whole number' : name === 'null' ? name : withArticle(name)))
    .join(' or ')
}

const withArticle = (name: string) => (/^[aio]/.test(name) ? `an ${name}` : `a ${name}`)

function alternatives(values: unknown): string {
  const all = (Array.isArray(values) ? values : [values]).map(short)
  return all.length > MAX_ALTERNATIVES
    ? `one of ${all.length} values`
    : all.length === 1
      ? all[0]!
      : `one of ${all.join(', ')}`
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}

/**
 * Of an anyOf or oneOf that nothing fitted, ajv tells the faults of every branch. Most branches say by a fixed
 * value (`"action": "opened"`) that they were not meant: that, and the sentence about the whole, is kept only
 * where nothing else is wrong.
 */
function withoutEchoes(errors: readonly ErrorObject[]): ErrorObject[] {
  const all = errors.filter(({ keyword }) => keyword !== 'if')
  const forks = all.filter(({ keyword, params }) => /^(anyOf|oneOf)$/.test(keyword) && !params.passingSchemas)
  const inFork = (error: ErrorObject) =>
    forks.some(fork => error !== fork && `${error.instancePath}/`.startsWith(`${fork.instancePath}/`))
  const isEcho = (error: ErrorObject) => inFork(error) && /^(posthorn:)?(const|enum)$/.test(error.keyword)
  const telling = all.filter(error => !forks.includes(error) && !isEcho(error))
  return telling.length > 0 ? telling : all
}

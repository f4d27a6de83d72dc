import { branchesOf } from './filter.js'
import { compileBranch, isJsonObject, member } from './filter-match.js'
import { InexactNumber } from './filter-number.js'
import type { FilterBranch, FilterField } from './filter-parse.js'
import type { Problem } from './event.js'

const MAX_SHOWN_VALUES = 3
const MAX_SHOWN_LENGTH = 60

/**
 * Why a JSON object does not fit a pattern: of each alternative the fields that fail, by their place
 * in the pattern; empty when it fits. Throws on a pattern that checkPattern refuses.
 */
export function explainPattern(pattern: unknown, root: unknown): Problem[] {
  const branches = branchesOf(pattern)
  if (branches.some(branch => compileBranch(branch)(root))) return []
  const reasons = branches.flatMap(branch => explainBranch(branch, root))
  return [...new Map(reasons.map(reason => [reason.pointer, reason])).values()]
}

function explainBranch(branch: FilterBranch, root: unknown): Problem[] {
  const failing = branch.filter(field => !compileBranch([field])(root))
  if (failing.length > 0) return failing.map(field => ({ pointer: field.pointer, message: reason(field, root) }))
  const fields = branch.map(({ pointer }) => pointer).join(', ')
  return [
    {
      pointer: branch.at(-1)!.pointer,
      message: `each field fits, but no one element of the event's arrays fits all of ${fields}`,
    },
  ]
}

function reason({ path, predicates }: FilterField, root: unknown): string {
  const found = valuesAt(root, path, 0)
  if (predicates === undefined) return `the event has this field: ${shown(found)}`
  if (found.length === 0) return 'the event has no value here'
  return `no wanted value fits ${shown(found)}`
}

function valuesAt(value: unknown, path: readonly string[], depth: number): unknown[] {
  if (value === undefined) return []
  if (Array.isArray(value)) return value.flatMap(element => valuesAt(element, path, depth))
  if (!isJsonObject(value)) return depth === path.length ? [value] : []
  return depth < path.length ? valuesAt(member(value, path[depth]!), path, depth + 1) : []
}

function shown(values: readonly unknown[]): string {
  const texts = values.slice(0, MAX_SHOWN_VALUES).map(value => {
    const text = value instanceof InexactNumber ? value.text : JSON.stringify(value)
    return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text
  })
  const more = values.length - texts.length
  return more > 0 ? `${texts.join(', ')} and ${more} more` : texts.join(', ')
}

/** Event types under this prefix are Posthorn's own. */
export const RESERVED_PREFIX = 'posthorn.'

const MAX_LENGTH = 128
const TYPE = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/

/** Whether `type` follows the naming rule: dot-separated words of `[A-Za-z0-9_-]`, 128 characters at most. */
export function isEventType(type: unknown): type is string {
  return typeof type === 'string' && type.length <= MAX_LENGTH && TYPE.test(type)
}

/** What a subscription names: one type, everything below a prefix (`agent.*`), or all (`*`). */
export type TypePattern = { kind: 'exact'; type: string } | { kind: 'prefix'; prefix: string } | { kind: 'all' }

/**
 * Reads one entry of a webhook's `events`: a type, `*`, or a type with a trailing `.*`, which
 * matches everything deeper but not the prefix itself. Undefined when it is none of these.
 */
export function parseTypePattern(pattern: unknown): TypePattern | undefined {
  if (pattern === '*') return { kind: 'all' }
  if (typeof pattern !== 'string' || pattern.length > MAX_LENGTH) return undefined
  if (pattern.endsWith('.*')) {
    const prefix = pattern.slice(0, -2)
    return isEventType(prefix) ? { kind: 'prefix', prefix } : undefined
  }
  return isEventType(pattern) ? { kind: 'exact', type: pattern } : undefined
}

/** Every string that, as an index key, could select `type`: itself, its prefixes with `.*`, and `*`. */
export function patternsMatching(type: string): string[] {
  const keys = [type, '*']
  for (let dot = type.lastIndexOf('.'); dot > 0; dot = type.lastIndexOf('.', dot - 1))
    keys.push(`${type.slice(0, dot)}.*`)
  return keys
}

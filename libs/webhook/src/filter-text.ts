/** A text to compare with case ignored: each UTF-16 unit in its lower and its upper case. */
export type Folded = readonly (readonly [lower: string, upper: string])[]

/**
 * Case as event-ruler ignores it: unit by unit, without a locale. A unit whose upper case is longer
 * ("ß", "SS") fits both, and its two cases never begin or end alike, so that no choice has to be undone.
 */
export function fold(text: string): Folded {
  return text.split('').map(unit => [unit.toLowerCase(), unit.toUpperCase()] as const)
}

/** Where `text` stops agreeing with the folded prefix: the length of what agrees, or -1. */
export function foldedPrefix(folded: Folded, text: string): number {
  let at = 0
  for (const [lower, upper] of folded)
    if (text.startsWith(lower, at)) at += lower.length
    else if (text.startsWith(upper, at)) at += upper.length
    else return -1
  return at
}

export function endsWithFolded(folded: Folded, text: string): boolean {
  let end = text.length
  for (let i = folded.length - 1; i >= 0; i--) {
    const [lower, upper] = folded[i]!
    if (text.endsWith(lower, end)) end -= lower.length
    else if (text.endsWith(upper, end)) end -= upper.length
    else return false
  }
  return true
}

/** A wildcard's literal texts, in order: between each two of them anything may stand. */
export type Wildcard = readonly string[]

/** Reads `*` as anything, `\*` and `\\` as themselves. Undefined on two `*` in a row or any other `\`. */
export function parseWildcard(text: string): Wildcard | undefined {
  const pieces = ['']
  for (let at = 0; at < text.length; at++) {
    const unit = text[at]!
    const next = text[at + 1]
    if (unit === '*') {
      if (next === '*') return undefined
      pieces.push('')
    } else if (unit === '\\') {
      if (next !== '*' && next !== '\\') return undefined
      pieces[pieces.length - 1] += next
      at++
    } else pieces[pieces.length - 1] += unit
  }
  return pieces
}

/** One pass from left to right: the first place where a piece stands is never worse than a later one. */
export function matchesWildcard(pieces: Wildcard, text: string): boolean {
  const first = pieces[0]!
  const last = pieces[pieces.length - 1]!
  if (pieces.length === 1) return text === first
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
  const end = text.length - last.length
  let at = first.length
  for (let i = 1; i < pieces.length - 1; i++) {
    const found = text.indexOf(pieces[i]!, at)
    if (found < 0) return false
    at = found + pieces[i]!.length
    if (at > end) return false
  }
  return at <= end
}

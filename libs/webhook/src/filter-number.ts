/** Nesting of JSON that is still read: matching and checking recurse, and 256 KiB of "[" must not end a process. */
const MAX_JSON_DEPTH = 500
/** Every decimal of 15 significant digits survives the way through a double; a sign or point may stand among them. */
const SURE_LENGTH = 15

/** A JSON number that a double cannot hold without changing it, as it was written. */
export class InexactNumber {
  constructor(readonly text: string) {}
}

/**
 * JSON.parse, but a number that would lose digits or overflow comes as an InexactNumber instead of as
 * another number. Throws SyntaxError on what is not JSON or is nested deeper than 500 levels.
 */
export function parseJson(text: string): unknown {
  if (!hasInexactNumber(text)) return JSON.parse(text)
  // The typings do not know the third argument yet (ES2026, JSON.parse source text access).
  return JSON.parse(text, keepInexact as (key: string, value: unknown) => unknown)
}

function keepInexact(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  return typeof value === 'number' && !isExact(context.source!) ? new InexactNumber(context.source!) : value
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** One pass over the text; strings are skipped by search, so that most of it is not looked at character by character. */
function hasInexactNumber(text: string): boolean {
  let depth = 0
  let inexact = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > MAX_JSON_DEPTH) throw new SyntaxError(`it is nested deeper than ${MAX_JSON_DEPTH} levels`)
    } else if (code === 0x5d || code === 0x7d) depth--
    else if (isDigit(code)) {
      const end = endOfNumber(text, at)
      inexact ||= !isExact(text.slice(at, end))
      at = end - 1
    }
  }
  return inexact
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (text.charCodeAt(before) === BACKSLASH) before--
    if ((end - before) % 2 === 1) return end
  }
  return text.length
}

const isDigit = (code: number) => code >= 0x30 && code <= 0x39

/** Past digits, point, exponent and its sign. */
function endOfNumber(text: string, start: number): number {
  let end = start + 1
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    const part = isDigit(code) || code === 0x2e || code === 0x65 || code === 0x45 || code === 0x2b || code === 0x2d
    if (!part) break
  }
  return end
}

/** Whether the shortest decimal of the double is the number that was written. */
function isExact(text: string): boolean {
  if (text.length <= SURE_LENGTH && !/[eE]/.test(text)) return true
  const number = Number(text)
  return Number.isFinite(number) && decimal(text) === decimal(String(number))
}

/** One spelling for each decimal number: its significant digits and its power of ten. */
function decimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const digits = whole + fraction
  let first = 0
  while (digits[first] === '0') first++
  let end = digits.length
  while (end > first && digits[end - 1] === '0') end--
  if (first >= end) return '0'
  return `${sign}${digits.slice(first, end)}e${Number(exponent) - fraction.length + digits.length - end}`
}

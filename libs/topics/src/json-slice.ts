/**
 * Finds where values stand in a JSON text, so that an event's data can be taken as the exact bytes
 * that were sent. The text must already have passed JSON.parse: these functions do not validate.
 */
export interface Slice {
  readonly start: number
  readonly end: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Where the value of member `name` stands in the object at `from`; the last one if the name is repeated, as JSON.parse has it. */
export function sliceMember(text: Uint8Array, name: string, from = 0): Slice | undefined {
  let found: Slice | undefined
  let at = skipSpace(text, skipSpace(text, from) + 1)
  while (text[at] !== CLOSE_BRACE) {
    const keyEnd = endOfString(text, at)
    const isMember = JSON.parse(Buffer.from(text.buffer, text.byteOffset + at, keyEnd - at).toString('utf8')) === name
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1)
    const end = endOfValue(text, start)
    if (isMember) found = { start, end }
    at = skipSpace(text, end)
    if (text[at] === COMMA) at = skipSpace(text, at + 1)
  }
  return found
}

/** Where each element of the array at `from` stands. */
export function sliceElements(text: Uint8Array, from = 0): Slice[] {
  const slices: Slice[] = []
  let at = skipSpace(text, skipSpace(text, from) + 1)
  while (text[at] !== CLOSE_BRACKET) {
    const end = endOfValue(text, at)
    slices.push({ start: at, end })
    at = skipSpace(text, end)
    if (text[at] === COMMA) at = skipSpace(text, at + 1)
  }
  return slices
}

function skipSpace(text: Uint8Array, at: number): number {
  while (text[at] === 0x20 || text[at] === 0x0a || text[at] === 0x0d || text[at] === 0x09) at++
  return at
}

function endOfString(text: Uint8Array, start: number): number {
  let at = start + 1
  while (text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1
  return at + 1
}

function endOfValue(text: Uint8Array, start: number): number {
  const first = text[start]
  if (first === QUOTE) return endOfString(text, start)
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    let at = start
    while (at < text.length && !isDelimiter(text[at]!)) at++
    return at
  }
  let depth = 0
  for (let at = start; ;) {
    const byte = text[at]
    if (byte === QUOTE) {
      at = endOfString(text, at)
      continue
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
    at++
    if (depth === 0) return at
  }
}

function isDelimiter(byte: number): boolean {
  return byte <= 0x20 || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET
}

import type { SchemaNode } from './read-schema.js'

// The few words that the built-in types are written in. Objects stay open: a source may send more than is named.

/** An object: what it must have, and what it may have besides. */
export function object(required: Record<string, SchemaNode>, optional: Record<string, SchemaNode> = {}): SchemaNode {
  return { type: 'object', required: Object.keys(required), properties: { ...required, ...optional } }
}

export const listOf = (items: SchemaNode): SchemaNode => ({ type: 'array', items })
export const oneOf = (...values: readonly string[]): SchemaNode => ({ enum: values })

export const TEXT: SchemaNode = { type: 'string' }
/** A name or an id: never empty. */
export const ID: SchemaNode = { type: 'string', minLength: 1 }
export const FLAG: SchemaNode = { type: 'boolean' }
export const NUMBER: SchemaNode = { type: 'number' }
/** How many, or how long. */
export const COUNT: SchemaNode = { type: 'integer', minimum: 0 }
/** A part of a whole, from 0 to 1. */
export const SHARE: SchemaNode = { type: 'number', minimum: 0, maximum: 1 }
export const TIME: SchemaNode = { type: 'string', format: 'date-time' }
export const ANYTHING: SchemaNode = { type: 'object' }
export const TEXTS = listOf(ID)

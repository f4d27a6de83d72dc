import type { SchemaNode } from './read-schema.js'

/** One event type that Posthorn knows from the start; tenants add their own beside it. */
export interface BuiltInEventType {
  /** Dot-separated: family, then what happened. */
  readonly type: string
  /** One sentence: when a source publishes it. */
  readonly description: string
  /** JSON Schema 2020-12 of the data. It is not enforced unless somebody says so. */
  readonly schema: SchemaNode
  /** Data that such an event could carry, made of JSON values only. */
  readonly example: Readonly<Record<string, unknown>>
}

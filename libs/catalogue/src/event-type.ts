/** One event type that Posthorn knows from the start; tenants add their own beside it. */
export interface BuiltInEventType {
  /** Dot-separated: family, then what happened. */
  readonly type: string
  /** One sentence: when a source publishes it. */
  readonly description: string
  /** Data that such an event could carry, made of JSON values only. */
  readonly example: Readonly<Record<string, unknown>>
}

export { BUILT_IN_EVENT_TYPES } from './built-in.js'
export { compileSchema, recompile, type CompiledSchema, type SchemaResult } from './compile-schema.js'
export type { BuiltInEventType } from './event-type.js'
export { CHECK_LIMITS, SCHEMA_LIMITS } from './schema-limits.js'

export { BUILT_IN_EVENT_TYPES } from './built-in.js'
export type { BuiltInEventType } from './event-type.js'

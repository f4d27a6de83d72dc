import { AGENT_EVENT_TYPES } from './agent.js'
import { ANALYSIS_EVENT_TYPES, DOCUMENT_EVENT_TYPES, SEARCH_EVENT_TYPES } from './content.js'
import type { BuiltInEventType } from './event-type.js'
import { MAINTENANCE_EVENT_TYPES, SECURITY_EVENT_TYPES, SYSTEM_EVENT_TYPES } from './operations.js'
import { OWN_EVENT_TYPES_BUILT_IN } from './own.js'

/**
 * All types that every tenant has from the start. Types may be added here, never renamed or taken away,
 * and a schema may only change to a compatible one.
 */
export const BUILT_IN_EVENT_TYPES: readonly BuiltInEventType[] = [
  ...AGENT_EVENT_TYPES,
  ...DOCUMENT_EVENT_TYPES,
  ...SEARCH_EVENT_TYPES,
  ...ANALYSIS_EVENT_TYPES,
  ...SYSTEM_EVENT_TYPES,
  ...SECURITY_EVENT_TYPES,
  ...MAINTENANCE_EVENT_TYPES,
  ...OWN_EVENT_TYPES_BUILT_IN,
]

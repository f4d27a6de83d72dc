import { describe, expect, it } from '@jest/globals'
import { isEventType } from '@posthorn/webhook'
import { BUILT_IN_EVENT_TYPES } from './built-in.js'

const ASKED_FOR = [
  'agent.created',
  'agent.updated',
  'agent.deleted',
  'agent.started',
  'agent.stopped',
  'agent.error',
  'agent.message',
  'agent.action',
  'agent.result',
  'document.added',
  'document.updated',
  'document.deleted',
  'search.performed',
  'search.results',
  'search.error',
  'analysis.started',
  'analysis.completed',
  'analysis.error',
  'system.health',
  'system.alert',
  'system.error',
  'security.alert',
  'security.breach',
  'security.update',
  'maintenance.start',
  'maintenance.end',
  'maintenance.schedule',
]

describe('the built-in catalogue', () => {
  it('S1 has exactly the types that were asked for, each once', () => {
    expect(BUILT_IN_EVENT_TYPES.map(({ type }) => type)).toEqual(ASKED_FOR)
  })

  it('S1 names every type by the naming rule', () => {
    expect(ASKED_FOR.filter(type => !isEventType(type))).toEqual([])
  })

  it.each(BUILT_IN_EVENT_TYPES)('S1 $type has a sentence and an example that survives JSON', entry => {
    expect(entry.description).toMatch(/^[A-Z].*\.$/)
    expect(Object.keys(entry.example).length).toBeGreaterThan(1)
    expect(JSON.parse(JSON.stringify(entry.example))).toStrictEqual(entry.example)
  })
})

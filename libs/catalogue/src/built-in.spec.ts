import { describe, expect, it } from '@jest/globals'
import { isEventType, OWN_EVENT_TYPES } from '@posthorn/webhook'
import { BUILT_IN_EVENT_TYPES } from './built-in.js'
import { compileSchema } from './compile-schema.js'

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

/** For each type what breaks its example, and where: a field taken away, or put wrong. */
const BROKEN: Readonly<Record<string, readonly [change: Record<string, unknown>, pointer: string]>> = {
  'agent.created': [{ agent_id: 7 }, '/agent_id'],
  'agent.updated': [{ changed: 'tools' }, '/changed'],
  'agent.deleted': [{ agent_id: undefined }, '/agent_id'],
  'agent.started': [{ run_id: '' }, '/run_id'],
  'agent.stopped': [{ duration_ms: -1 }, '/duration_ms'],
  'agent.error': [{ message: undefined }, '/message'],
  'agent.message': [{ role: 'ghost' }, '/role'],
  'agent.action': [{ arguments: 'none' }, '/arguments'],
  'agent.result': [{ tokens: { input: 1.5 } }, '/tokens/input'],
  'document.added': [{ bytes: '12' }, '/bytes'],
  'document.updated': [{ changed: [''] }, '/changed/0'],
  'document.deleted': [{ permanent: 'no' }, '/permanent'],
  'search.performed': [{ query: undefined }, '/query'],
  'search.results': [{ top: [{ document_id: 'd', score: 2 }] }, '/top/0/score'],
  'search.error': [{ code: '' }, '/code'],
  'analysis.started': [{ documents: 0.5 }, '/documents'],
  'analysis.completed': [{ kind: null }, '/kind'],
  'analysis.error': [{ message: 1 }, '/message'],
  'system.health': [{ status: 'fine' }, '/status'],
  'system.alert': [{ severity: 3 }, '/severity'],
  'system.error': [{ system: undefined }, '/system'],
  'security.alert': [{ count: -1 }, '/count'],
  'security.breach': [{ scope: [1] }, '/scope/0'],
  'security.update': [{ installed: 'yes' }, '/installed'],
  'maintenance.start': [{ expected_end: 'soon' }, '/expected_end'],
  'maintenance.end': [{ ended_at: '2026-13-01T00:00:00Z' }, '/ended_at'],
  'maintenance.schedule': [{ change: 'forgotten' }, '/change'],
  'posthorn.webhook.failing': [{ failing_since: 1_700_000_000_000 }, '/failing_since'],
  'posthorn.webhook.disabled': [{ rule: 'gone' }, '/rule'],
  'posthorn.webhook.recovered': [{ by: 'chance' }, '/by'],
  'posthorn.alert.firing': [{ metric: 'bad_mood' }, '/metric'],
  'posthorn.alert.resolved': [{ by: 'chance' }, '/by'],
}

describe('the built-in catalogue', () => {
  it('S1 has exactly the types that were asked for, and our own, each once', () => {
    expect(BUILT_IN_EVENT_TYPES.map(({ type }) => type)).toEqual([...ASKED_FOR, ...OWN_EVENT_TYPES])
  })

  it('S1 names every type by the naming rule', () => {
    expect(ASKED_FOR.filter(type => !isEventType(type))).toEqual([])
  })

  it.each(BUILT_IN_EVENT_TYPES)('S1 $type has a sentence and an example that survives JSON', entry => {
    expect(entry.description).toMatch(/^[A-Z].*\.$/)
    expect(Object.keys(entry.example).length).toBeGreaterThan(1)
    expect(JSON.parse(JSON.stringify(entry.example))).toStrictEqual(entry.example)
  })

  it.each(BUILT_IN_EVENT_TYPES)('S1 $type has a schema that its example fits, and a broken one does not', entry => {
    const result = compileSchema(entry.schema)
    if (result.kind === 'bad') throw new Error(JSON.stringify(result.problems))
    const { check, schema } = result.compiled
    const [change, pointer] = BROKEN[entry.type]!
    expect([schema.warnings, check(entry.example, 1000)]).toEqual([[], []])
    expect(check(JSON.parse(JSON.stringify({ ...entry.example, ...change })), 1000).map(one => one.pointer)).toEqual([
      pointer,
    ])
  })

  it.each(BUILT_IN_EVENT_TYPES)('S1 $type says of every field of its example what it is', ({ schema, example }) => {
    const named = Object.keys((schema as { properties: object }).properties)
    expect(Object.keys(example).filter(name => !named.includes(name))).toEqual([])
  })
})

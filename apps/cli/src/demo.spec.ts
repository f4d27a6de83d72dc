import { expect, test } from '@jest/globals'
import { BUILT_IN_EVENT_TYPES } from '@posthorn/catalogue'
import { demoEvents, githubEvents, kafkaMessage } from './demo-events.js'
import { DemoLines, type Received } from './demo-lines.js'

const TYPE = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/

test('S1 the demonstration has every built-in type, and every GitHub payload in between', () => {
  const events = demoEvents()
  const types = new Set<string>()
  const payloads = githubEvents()
  for (let count = 0; count < 2 * payloads.length; count++) types.add(events.next().value.type)
  for (const { type } of BUILT_IN_EVENT_TYPES) expect(types).toContain(type)
  for (const { type } of payloads) expect(types).toContain(type)
  for (const type of types) expect(type).toMatch(TYPE)
})

test('the first event is the one whose receiver fails at first', () => {
  expect(demoEvents().next().value.type).toBe('agent.error')
})

test('an event is a CloudEvent in binary mode', () => {
  const message = kafkaMessage({ type: 'a.b', source: '/s', key: 'k', data: { x: 1 } }, new Date(0))
  expect(message).toMatchObject({
    key: 'k',
    value: '{"x":1}',
    headers: { ce_specversion: '1.0', ce_type: 'a.b', ce_source: '/s', ce_time: '1970-01-01T00:00:00.000Z' },
  })
})

test('S8 a request is one line, and a retry is marked by how often it failed before', () => {
  const lines = new DemoLines()
  const received: Received = {
    kind: 'received',
    type: 'agent.error',
    webhookId: 'msg_1',
    verified: true,
    latencyMs: 12,
    path: '/fail?times=2',
    status: 500,
  }
  const line = (change: Partial<Received>) => lines.line({ ...received, ...change }, new Date(0))
  expect(line({})).toMatch(/500 {2}agent\.error +msg_1 +signature ok +12 ms {2}\/fail\?times=2 {2}failed$/)
  expect(line({})).toMatch(/retry 1 {2}failed$/)
  expect(line({ status: 200 })).toMatch(/200 .*retry 2$/)
  expect(line({ status: 200 })).not.toMatch('retry')
  expect(line({ verified: false, status: 401, type: undefined, latencyMs: undefined })).toMatch(
    /unknown type.*signature BAD/,
  )
})

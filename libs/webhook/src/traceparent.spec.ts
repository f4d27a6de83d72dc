import { describe, expect, it } from '@jest/globals'
import type { WebhookEvent } from './event.js'
import { readTraceparent, traceparentText, withoutTrace } from './traceparent.js'

const PARENT = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', sampled: true }
const TEXT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

describe('traceparent', () => {
  it('is read and written', () => {
    expect(readTraceparent(TEXT)).toEqual(PARENT)
    expect(readTraceparent(TEXT.replace(/01$/, '02'))).toEqual({ ...PARENT, sampled: false })
    for (const sampled of [true, false])
      expect(readTraceparent(traceparentText({ ...PARENT, sampled }))).toEqual({ ...PARENT, sampled })
  })

  it('is none where it is malformed', () => {
    const zeros = [TEXT.replace(PARENT.traceId, '0'.repeat(32)), TEXT.replace(PARENT.spanId, '0'.repeat(16))]
    for (const text of [undefined, 1, '', 'x', `${TEXT}-`, TEXT.toUpperCase(), TEXT.replace(/^00/, '01'), ...zeros])
      expect(readTraceparent(text)).toBeUndefined()
  })
})

describe('withoutTrace', () => {
  const event: WebhookEvent = { tenant: 't', id: '1', source: '/s', type: 'a', time: '', contenttype: '' }

  it('takes away what says which trace an event is of, and nothing else', () => {
    const extensions = { traceparent: TEXT, tracestate: 'a=1', other: 'x' }
    expect(withoutTrace({ ...event, extensions })).toEqual({ ...event, extensions: { other: 'x' } })
    for (const plain of [event, { ...event, extensions: { other: 'x' } }]) expect(withoutTrace(plain)).toBe(plain)
  })
})

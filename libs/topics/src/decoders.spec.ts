import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  decodeAttempt,
  decodeDeadLetter,
  decodeDelivery,
  decodeEvent,
  decodePoison,
  decodeSource,
  decodeTenant,
  decodeWebhook,
  frame,
} from './index.js'

const DECODERS: Readonly<Record<string, (value: Buffer | null) => { readonly kind: string }>> = {
  decodeAttempt,
  decodeDeadLetter,
  decodeDelivery,
  decodePoison,
  decodeSource,
  decodeTenant,
  decodeWebhook,
  structuredEvent: value =>
    decodeEvent(
      { key: null, value, timestamp: 0, headers: { 'content-type': 'application/cloudevents+json' } },
      'default',
    ),
  binaryEvent: value =>
    decodeEvent({ key: null, value, timestamp: 0, headers: { ce_id: value?.toString('latin1') ?? '' } }, undefined),
}

const anything = fc.oneof(
  fc.constant(null),
  fc.uint8Array({ maxLength: 80 }).map(bytes => Buffer.from(bytes)),
  fc.json().map(text => Buffer.from(text)),
  // A frame of ours with any head: what a bug or a foreign writer would leave behind.
  fc.dictionary(headName(), fc.jsonValue()).map(head => frame(head, Buffer.from('{}'))),
  fc.dictionary(headName(), fc.jsonValue()).map(head => Buffer.from(JSON.stringify(head))),
)

function headName(): fc.Arbitrary<string> {
  return fc.constantFrom('v', 'id', 'version', 'kind', 'event', 'data', 'type', 'origin', 'due', 'topic', 'lastAttempt')
}

// What a decoder threw would stop its partition for ever, whatever process reads it: this is why a
// record that cannot be decoded is a value, which goes to poison.
describe('undecodable: a value, never an exception', () => {
  it.each(Object.keys(DECODERS))('%s', name => {
    fc.assert(
      fc.property(anything, value => {
        expect(typeof DECODERS[name]!(value).kind).toBe('string')
      }),
      { numRuns: 500 },
    )
  })
})

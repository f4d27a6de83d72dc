import { describe, expect, it } from '@jest/globals'
import { RecordRefused } from '@posthorn/kafka'
import { decodeKeyUse, KEY_USES, type TopicContract, type TopicRecord } from '@posthorn/topics'
import { KeyUses } from './key-uses.js'

const MINUTE = 29_000_000
const MINUTE_MS = 60_000

function setUp({ fail = false } = {}) {
  const sent: [string, number][] = []
  const clock = { ms: MINUTE * MINUTE_MS }
  const output = {
    queuedBytes: 0,
    send(topic: TopicContract, { value }: TopicRecord) {
      const read = decodeKeyUse(value)
      if (topic !== KEY_USES || read.kind !== 'document') throw new Error('not a use')
      sent.push([read.document.id, read.document.version])
      return fail ? Promise.reject(new RecordRefused('no')) : Promise.resolve({ partition: 0, offset: 0 })
    },
  }
  const uses = new KeyUses(output, { debug: () => undefined }, () => clock.ms)
  return { uses, sent, clock, output }
}

describe('the uses of keys', () => {
  it('are told once a minute and key', () => {
    const { uses, sent, clock } = setUp()
    for (const id of ['a', 'b', 'a']) uses.note(id)
    clock.ms += MINUTE_MS - 1
    uses.note('a')
    clock.ms += 1
    for (const id of ['b', 'b', 'a']) uses.note(id)
    expect(sent).toEqual([
      ['a', MINUTE],
      ['b', MINUTE],
      ['b', MINUTE + 1],
      ['a', MINUTE + 1],
    ])
  })

  it('are told again by a clock that is set back, which no reader takes for the latest', () => {
    const { uses, sent, clock } = setUp()
    uses.note('a')
    clock.ms -= MINUTE_MS
    uses.note('a')
    expect(sent).toEqual([
      ['a', MINUTE],
      ['a', MINUTE - 1],
    ])
  })

  it('are not told where Kafka does not take them, and disturb nobody', async () => {
    const { uses, sent, clock, output } = setUp({ fail: true })
    uses.note('a')
    await new Promise(setImmediate)
    output.queuedBytes = 4 * 1024 * 1024
    clock.ms += MINUTE_MS
    uses.note('a')
    expect(sent).toEqual([['a', MINUTE]])
    output.queuedBytes = 0
    uses.note('a')
    expect(sent).toHaveLength(2)
  })
})

import { describe, expect, it } from '@jest/globals'
import type { TopicContract } from '@posthorn/topics'
import fc from 'fast-check'
import { ClaimBook, type Claim } from './claims.js'
import { OffsetTracker } from './offset-tracker.js'

const TOPIC: TopicContract = { name: 'work.v1', cleanup: 'delete', retentionMs: 1, partitions: 'work' }
const MOST = 1_000_000
/** Of a response of the broker, and of one partition in it. */
const FETCH = 100_000
const FETCH_OF_ONE = 10_000

interface Read {
  readonly claim: Claim
  readonly unfinished: number[]
  next: number
}

function bookOf(partitions: number) {
  const book = new ClaimBook(
    { window: 1_000_000, maxUnfinishedBytes: MOST },
    { finished: () => undefined, pausesChanged: () => undefined },
  )
  const reads: Read[] = Array.from({ length: partitions }, (_, partition) => {
    const claim = book.add(TOPIC, TOPIC.name, partition)
    claim.open(new OffsetTracker(0))
    return { claim, unfinished: [], next: 0 }
  })
  return { book, reads }
}

/** A response has something of those that were not paused when it was asked for, beginning with any. */
function fetchInto(book: ClaimBook, reads: readonly Read[], first: number, size: number): void {
  let room = FETCH
  for (const read of [...reads.slice(first), ...reads.slice(0, first)].filter(({ claim }) => !claim.mustPause)) {
    let records = 0
    for (; (records + 1) * size <= Math.min(FETCH_OF_ONE, room); records++) {
      read.claim.tracker!.receive(read.next, size)
      read.unfinished.push(read.next++)
    }
    room -= records * size
    if (records > 0) book.received(read.claim, records, records * size)
  }
}

const finish = (read: Read, records: number) => {
  for (const offset of read.unfinished.splice(0, records)) read.claim.done(offset)
}

describe('S9 the bytes of unfinished records', () => {
  it('are never more than may be, and what was on its way; nobody is stopped for good by who is stuck', () => {
    const step = fc.record({
      first: fc.nat(),
      size: fc.integer({ min: 100, max: FETCH_OF_ONE }),
      finishes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 50 })), { maxLength: 4 }),
    })
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 12 }),
        fc.nat(),
        fc.array(step, { minLength: 50, maxLength: 300 }),
        (partitions, stuck, steps) => {
          const { book, reads } = bookOf(partitions)
          const getsOn = reads.slice(stuck % partitions || 1)
          for (const { first, size, finishes } of steps) {
            fetchInto(book, reads, first % partitions, size)
            expect(book.unfinishedBytes).toBeLessThanOrEqual(MOST + FETCH + partitions * FETCH_OF_ONE)
            for (const [which, records] of finishes) finish(getsOn[which % getsOn.length]!, records)
          }
          for (const read of getsOn) finish(read, Infinity)
          for (const { claim } of getsOn) expect(claim.mustPause).toBe(false)
        },
      ),
    )
  })

  it('reach the bound at once when nothing is finished, and everything is read again when half is', () => {
    const { book, reads } = bookOf(12)
    for (let first = 0; first < 24; first++) fetchInto(book, reads, first % 12, 1_000)
    expect(book.unfinishedBytes).toBeGreaterThanOrEqual((MOST * 3) / 4)
    expect(reads.every(({ claim }) => claim.mustPause)).toBe(true)
    for (const read of reads) finish(read, Math.ceil(read.unfinished.length / 2))
    expect(reads.some(({ claim }) => claim.mustPause)).toBe(false)
  })
})

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Fifo } from './fifo.js'

describe('Fifo', () => {
  it('does what an array does', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 3000 }) }) },
      { weight: 4, arbitrary: fc.record({ shift: fc.integer({ min: 1, max: 3000 }) }) },
      { weight: 2, arbitrary: fc.record({ pop: fc.integer({ min: 1, max: 500 }) }) },
      { weight: 1, arbitrary: fc.record({ remove: fc.integer({ min: 2, max: 9 }) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const fifo = new Fifo<number>()
        let model: number[] = []
        let next = 0
        for (const step of steps) {
          if ('push' in step)
            for (let i = 0; i < step.push; i++, next++) {
              fifo.push(next)
              model.push(next)
            }
          else if ('shift' in step) {
            const count = Math.min(step.shift, model.length)
            expect(Array.from({ length: count }, () => fifo.shift())).toEqual(model.splice(0, count))
          } else if ('pop' in step)
            for (let i = 0; i < step.pop && model.length > 0; i++) expect(fifo.pop()).toBe(model.pop())
          else {
            expect(fifo.remove(n => n % step.remove === 0)).toEqual(model.filter(n => n % step.remove === 0))
            model = model.filter(n => n % step.remove !== 0)
          }
          expect(fifo.length).toBe(model.length)
        }
      }),
    )
  })
})

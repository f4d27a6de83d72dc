import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { BinaryHeap } from './binary-heap.js'

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ push: fc.integer({ min: 0, max: 20 }) }) },
  { weight: 3, arbitrary: fc.constant('pop' as const) },
  fc.record({ without: fc.integer({ min: 0, max: 20 }) }),
)

it('gives what a sorted list gives', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), steps => {
      const heap = new BinaryHeap<number>((one, other) => one < other)
      let model: number[] = []
      for (const one of steps) {
        if (one === 'pop') expect(heap.pop()).toBe(model.shift())
        else if ('push' in one) {
          heap.push(one.push)
          model = [...model, one.push].sort((a, b) => a - b)
        } else {
          heap.filter(item => item !== one.without)
          model = model.filter(item => item !== one.without)
        }
        expect([heap.peek(), heap.size]).toEqual([model[0], model.length])
      }
    }),
  )
})

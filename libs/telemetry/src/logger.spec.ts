import { describe, expect, it } from '@jest/globals'
import { describeError } from './logger.js'

describe('describeError', () => {
  it('keeps what an error says and its plain values, with its causes', () => {
    const error = Object.assign(new TypeError('no row', { cause: new Error('connection lost') }), { code: '57P01' })
    const described = describeError(error) as Record<string, string>
    expect(described).toMatchObject({ type: 'TypeError', code: '57P01' })
    expect(described.message).toBe('no row: connection lost')
    expect(described.stack).toContain('logger.spec')
    expect(described.stack).toContain('connection lost')
  })

  it('leaves out the objects that libraries hang on it', () => {
    const error = Object.assign(new Error('broke'), { client: { secretKey: 4711, queries: ['select 1'] } })
    expect(JSON.stringify(describeError(error))).not.toMatch(/4711|select 1|client/)
  })

  it('leaves out where Postgres says the values of a row', () => {
    const error = Object.assign(new Error('violates check constraint'), { code: '23514', detail: 'Failing row (4711)' })
    expect(describeError(error)).toMatchObject({ code: '23514' })
    expect(JSON.stringify(describeError(error))).not.toContain('4711')
  })

  it('passes on what is thrown and is no error', () => {
    expect(describeError('text')).toBe('text')
  })
})

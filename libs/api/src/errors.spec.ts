import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { ApiError, ERRORS, problemJson } from './errors.js'

describe('the error catalogue', () => {
  it('is what docs/errors.md says, code by code', () => {
    const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
    const table = page
      .split('\n')
      .filter(line => /^\| `[a-z_]+`\s+\| \d{3}\s/.test(line))
      .map(line => line.split('|').map(cell => cell.trim().replaceAll('`', '')))
      .map(([, code, status, title, action]) => [code, { status: Number(status), title, action }])
    expect(table).toEqual(Object.entries(ERRORS))
  })

  it('becomes problem+json that names the fields', () => {
    const error = new ApiError('event_invalid', 'The event has 1 fault.', [
      { pointer: '/type', message: 'is required' },
    ])
    expect(problemJson(error, 'r1')).toEqual({
      type: 'urn:posthorn:error:event_invalid',
      title: 'The event is not valid',
      status: 400,
      code: 'event_invalid',
      detail: 'The event has 1 fault.',
      action: ERRORS.event_invalid.action,
      request_id: 'r1',
      errors: [{ pointer: '/type', detail: 'is required' }],
    })
  })

  it('names a hundred fields at most', () => {
    const faults = Array.from({ length: 50_000 }, (_, i) => ({ pointer: `/${i}`, message: 'is required' }))
    expect(problemJson(new ApiError('request_invalid', 'd', faults), 'r1').errors).toHaveLength(100)
  })
})

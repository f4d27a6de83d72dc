import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { FILTER_LIMITS } from './filter-limits.js'
import { checkFilter } from './filter.js'

const page = readFileSync(join(import.meta.dirname, '../../../docs/filters.md'), 'utf8')

describe('docs/filters.md', () => {
  it('shows filters that are taken', () => {
    const examples = [...page.matchAll(/```json\n([^`]+)```/g)].map(match => match[1]!)
    expect(examples.length).toBeGreaterThan(3)
    for (const example of examples) expect(checkFilter(JSON.parse(example))).toEqual([])
  })

  it('shows every limit', () => {
    const table = page.slice(page.indexOf('## Limits'), page.indexOf('## Cost'))
    const shown = [...table.matchAll(/\| ([\d,]+) +\|$/gm)].map(match => Number(match[1]!.replaceAll(',', '')))
    expect(shown).toEqual(Object.values(FILTER_LIMITS))
  })
})

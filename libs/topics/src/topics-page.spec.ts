import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { ALL_TOPICS, DAY_MS } from './index.js'

describe('docs/topics.md', () => {
  it('lists every topic with its cleanup and retention', () => {
    const page = readFileSync(new URL('../../../docs/topics.md', import.meta.url), 'utf8')
    const rows = page
      .split('\n')
      .filter(line => line.startsWith('| `posthorn.'))
      .map(line => line.split('|').map(cell => cell.trim().replaceAll('`', '')))
      .map(([, topic, , keeps]) => `${topic}: ${keeps}`)
    const wanted = ALL_TOPICS.map(topic => {
      const days = (topic.retentionMs ?? 0) / DAY_MS
      return `posthorn.${topic.name}: ${topic.cleanup === 'compact' ? 'compacted' : `${Math.round(days * 100) / 100} d`}`
    })
    expect(rows.sort()).toEqual(wanted.sort())
  })
})

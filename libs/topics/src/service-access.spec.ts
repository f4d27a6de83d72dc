import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { aclsOf, ALL_TOPICS, DELAYS, redriveTopic, SERVICE_ACCESS, type TopicContract } from './index.js'

const PREFIX = 'posthorn.'
const TIERS = Object.values(DELAYS)

describe('The rights of a service on Kafka', () => {
  it('are those of docs/kafka.md', () => {
    const page = readFileSync(new URL('../../../docs/kafka.md', import.meta.url), 'utf8')
    const rows = page.split('\n').map(line => line.split('|').map(cell => cell.trim()))
    const table = rows.filter(([, service]) => service && Object.hasOwn(SERVICE_ACCESS, service))
    const wanted = Object.entries(SERVICE_ACCESS).map(([service, access]) => {
      const groups = (operation: 'Read' | 'Describe') =>
        aclsOf(access, PREFIX)
          .filter(({ resource, operations }) => resource === 'group' && operations.includes(operation))
          .flatMap(({ names, pattern }) => names.map(name => `\`${name}${pattern === 'prefixed' ? '*' : ''}\``))
          .join(', ')
      return [service, inWords(access.reads), inWords(access.writes), groups('Read') || '–', groups('Describe') || '–']
    })
    expect(table.map(cells => cells.slice(1, 6))).toEqual(wanted)
  })

  it('let a service read what its groups commit', () => {
    for (const { reads, joins } of Object.values(SERVICE_ACCESS))
      if (joins !== 'sources') expect(reads).toEqual(expect.arrayContaining(joins.flatMap(({ topics }) => topics)))
  })

  it('let the registry put poison back wherever it may have been', () => {
    const targets = ALL_TOPICS.flatMap(({ name }) => redriveTopic(name, undefined) ?? [])
    expect(SERVICE_ACCESS.registry!.writes).toEqual(expect.arrayContaining(targets))
  })

  it('leave no topic that nobody reads or nobody writes', () => {
    const all = (of: 'reads' | 'writes') => new Set(Object.values(SERVICE_ACCESS).flatMap(access => access[of]))
    expect(ALL_TOPICS.filter(topic => !all('reads').has(topic) || !all('writes').has(topic))).toEqual([])
  })

  it('without a prefix are on all topics by their names', () => {
    expect(aclsOf(SERVICE_ACCESS.router!, '')).toEqual([
      { resource: 'topic', pattern: 'literal', names: ['*'], operations: ['Describe', 'DescribeConfigs'] },
      {
        ...{ resource: 'topic', pattern: 'literal', operations: ['Read'] },
        names: ['events.v1', 'webhooks.v1', 'tenants.v1', 'catalogue.v1'],
      },
      {
        ...{ resource: 'topic', pattern: 'literal', operations: ['Write'] },
        names: ['deliveries.v1', 'bulk.v1', 'poison.v1'],
      },
      { resource: 'group', pattern: 'literal', names: ['router'], operations: ['Read'] },
    ])
  })
})

/** As the page says it: without prefix and version, all tiers as one. */
function inWords(topics: readonly TopicContract[]): string {
  const all = TIERS.every(tier => topics.includes(tier))
  const names = topics.map(topic => (all && TIERS.includes(topic) ? 'delay.\\*' : topic.name.replace(/\.v1$/, '')))
  return [...new Set(names)].join(', ')
}

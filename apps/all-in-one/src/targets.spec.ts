import { describe, expect, it } from '@jest/globals'
import { chooseTargets, TARGETS } from './targets.js'

describe('targets', () => {
  it('has a row for every service of the architecture, once', () => {
    expect(TARGETS.map(service => service.target)).toEqual([
      'ingest',
      'registry',
      'router',
      'deliverer',
      'retry-scheduler',
      'replayer',
      'monitor',
    ])
  })

  it('loads under each name the service of that name', async () => {
    const services = await Promise.all(TARGETS.map(({ load }) => load()))
    expect(services.map(service => service.target)).toEqual(TARGETS.map(({ target }) => target))
  })

  it('chooses all, one or several', () => {
    expect(chooseTargets('all')).toHaveLength(7)
    expect(chooseTargets('router').map(service => service.target)).toEqual(['router'])
    expect(chooseTargets('deliverer, router').map(service => service.target)).toEqual(['router', 'deliverer'])
  })

  it('names what is not a target, and what is', () => {
    expect(() => chooseTargets('router,rooter')).toThrow(/"rooter" is not a target.*retry-scheduler/)
  })
})

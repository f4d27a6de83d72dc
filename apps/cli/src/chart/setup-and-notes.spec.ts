import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { TARGET_NAMES } from '../target-names.js'
import { ALL_APIS, CHART, render, runHelm, type KubernetesObject } from './render.js'
import { builtTools } from './tools.js'

const tools = builtTools()
const suite = tools === undefined ? describe.skip : describe
const MINIMAL = join(CHART, 'ci', 'minimal-values.yaml')
const DATABASE = ['registry', 'replayer', 'monitor']

interface Container {
  readonly command: readonly string[]
  readonly args: readonly string[]
}
interface Pod {
  readonly initContainers?: readonly Container[]
  readonly containers: readonly Container[]
}

const withMode = (mode: string) =>
  render(tools!.helm[0]!, { values: [MINIMAL], set: [`setup.mode=${mode}`], apis: ALL_APIS })

/** What prepares topics and database in an object's pod, as commands. */
function stepsOf({ spec }: KubernetesObject): readonly string[] {
  const pod = (spec as { template: { spec: Pod } }).template.spec
  const all = [...(pod.initContainers ?? []), ...pod.containers]
  return all.filter(({ command }) => command?.includes('apps/cli/dist/main.js')).map(({ args }) => args.join(' '))
}

suite('setup', () => {
  const named = (all: readonly KubernetesObject[], name: string) =>
    all.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === `posthorn-${name}`)!
  const jobs = (all: readonly KubernetesObject[]) => all.filter(({ kind }) => kind === 'Job')

  it('by hook is a Job before the installation and each upgrade, first topics and then the database', async () => {
    const all = await withMode('hook')
    expect(jobs(all)).toHaveLength(1)
    expect(jobs(all)[0]!.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'pre-install,pre-upgrade' })
    expect(stepsOf(jobs(all)[0]!)).toEqual(['topics --apply', 'migrate'])
    for (const target of TARGET_NAMES) expect(stepsOf(named(all, target))).toEqual([])
  })

  it('by init containers is in every pod, the database where it is used', async () => {
    const all = await withMode('init')
    expect(jobs(all)).toEqual([])
    for (const target of TARGET_NAMES)
      expect([target, ...stepsOf(named(all, target))]).toEqual([
        target,
        'topics --apply',
        ...(DATABASE.includes(target) ? ['migrate'] : []),
      ])
  })

  it('by hand is in no object', async () => {
    const all = await withMode('manual')
    expect(jobs(all)).toEqual([])
    for (const target of TARGET_NAMES) expect(stepsOf(named(all, target))).toEqual([])
  })
})

suite('the notes after an installation', () => {
  const notes = async (...set: readonly string[]) => {
    const args = ['install', 'posthorn', CHART, '--namespace=hooks', '--dry-run=client', `--values=${MINIMAL}`]
    const text = await runHelm(tools!.helm[0]!, [...args, ...set.map(each => `--set=${each}`)])
    return text.slice(text.indexOf('NOTES:'))
  }

  it('name the next three commands', async () => {
    const text = await notes()
    expect([...text.matchAll(/^\d\. .*\n {2}(\S+)/gm)].map(([, command]) => command)).toEqual([
      'kubectl',
      expect.stringMatching(/^KEY=/),
      'helm',
    ])
    expect(text).toContain('helm test posthorn -n hooks --logs')
  })

  it('say what is left to do by hand, and how to make a key where no Secret has one', async () => {
    const text = await notes('setup.mode=manual', 'auth.existingSecret=')
    for (const command of ['topics --apply', 'migrate', 'keys create --database --name first'])
      expect(text).toContain(`node apps/cli/dist/main.js ${command}`)
  })
})

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { NODE_FLAGS, Settings } from '@posthorn/process'
import { ROOT } from '../repository.js'

const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8')
const instructions = read('deploy', 'Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter(line => line !== '')
const valuesOf = (name: string) =>
  instructions.filter(line => line.startsWith(`${name} `)).map(line => line.slice(name.length + 1))

describe('deploy/Dockerfile', () => {
  it('is pinned by digest, to the Node of the package', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: { node: string } }
    const image = new RegExp(`^NODE_IMAGE=node:${dependencies.node}-bookworm-slim@sha256:[0-9a-f]{64}$`)
    expect(valuesOf('ARG')).toEqual([expect.stringMatching(image)])
    for (const from of valuesOf('FROM')) expect(from).toMatch(/^(\$\{NODE_IMAGE\}|source)( AS \w+)?$/)
  })

  it('runs as the numeric user of the chart', () => {
    const pods = read('k8s', 'posthorn', 'templates', '_pods.tpl')
    const [user, group] = ['User', 'Group'].map(what => new RegExp(`runAs${what}: (\\d+)`).exec(pods)![1])
    expect(valuesOf('USER')).toEqual([`${user}:${group}`])
  })

  it('starts what is built, with the flags of Node that all processes have, and names the ports', () => {
    const [command, ...args] = JSON.parse(valuesOf('ENTRYPOINT')[0]!) as string[]
    expect([command, ...args]).toEqual(['node', ...NODE_FLAGS, 'apps/all-in-one/dist/main.js'])
    expect(existsSync(join(ROOT, args.at(-1)!.replace('/dist/', '/src/').replace('.js', '.ts')))).toBe(true)
    const { registryPort, ingestPort, registryGrpcPort, ingestGrpcPort, healthPort } = new Settings()
    expect(valuesOf('EXPOSE')[0]!.split(' ').map(Number)).toEqual([
      registryPort,
      ingestPort,
      registryGrpcPort,
      ingestGrpcPort,
      healthPort,
    ])
  })

  it('installs for production alone, runs no install script, and lists what is in it', () => {
    const installs = valuesOf('RUN').filter(line => line.startsWith('npm install'))
    expect(installs).toHaveLength(2)
    for (const line of installs) expect(line).toMatch(/^npm install --no-save [^&]*--ignore-scripts/)
    expect(installs[1]).toMatch(/--omit=dev .*npm sbom --sbom-format=cyclonedx > sbom\.cdx\.json/)
    const last = instructions.slice(instructions.findLastIndex(line => line.startsWith('FROM ')))
    expect(last.filter(line => line.startsWith('RUN '))).toEqual([])
  })

  it('is given neither tests nor what was built before, and nothing that is not named', () => {
    const [first, ...rest] = read('.dockerignore')
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#'))
    expect(first).toBe('*')
    for (const pattern of ['**/*.spec.ts', '**/src/test-*.ts', '**/dist', '**/node_modules'])
      expect(rest).toContain(pattern)
    const named = rest.filter(line => line.startsWith('!')).map(line => line.slice(1))
    const copied = valuesOf('COPY')
      .filter(line => !line.startsWith('--from'))
      .flatMap(line => line.split(' ').slice(0, -1))
    expect(new Set(named)).toEqual(new Set(copied))
  })
})

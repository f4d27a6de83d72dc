import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { isAlive } from '@posthorn/embedded'
import { CLI_MAIN, SERVICES_MAIN } from './repository.js'
import { RunFiles, type StackInfo } from './run-file.js'

let dir: string
const children: ChildProcess[] = []

beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'run-file-'))))
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(dir, { recursive: true })
})

/** A process that lives and whose command line has this text in it. */
function living(text: string): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', text], { stdio: 'ignore' })
  children.push(child)
  return child.pid!
}

const info = (pids: StackInfo['pids']): StackInfo => ({
  api: 'http://127.0.0.1:1',
  publish: 'http://127.0.0.1:2',
  grpc: '127.0.0.1:3',
  kafka: '127.0.0.1:4',
  postgres: 'postgres://x',
  key: 'secret',
  pids,
})

test('a stack is running as long as its supervisor lives, and only its owner may read the key', () => {
  const files = new RunFiles(dir)
  const supervisor = living(CLI_MAIN)
  files.writeRunning(info({ supervisor }))
  expect(files.running()?.pids.supervisor).toBe(supervisor)
  expect(statSync(join(dir, 'run.json')).mode & 0o777).toBe(0o600)
  files.writeRunning(info({ supervisor: living('something else') }))
  expect(files.running()).toBeUndefined()
})

test('a second supervisor is refused by a sentence that names the first', () => {
  const files = new RunFiles(dir)
  const supervisor = living(CLI_MAIN)
  files.writePids({ supervisor })
  expect(() => files.claim()).toThrow(`Posthorn already runs here, as process ${supervisor}`)
})

test('a dead supervisor is replaced', () => {
  writeFileSync(join(dir, 'pids.json'), JSON.stringify({ supervisor: 2 ** 22 + 1 }))
  new RunFiles(dir).claim()
  expect(JSON.parse(readFileSync(join(dir, 'pids.json'), 'utf8'))).toEqual({ supervisor: process.pid })
})

test('leftovers of ours are ended, and nothing that only has their number', async () => {
  const files = new RunFiles(dir)
  const service = living(`${SERVICES_MAIN} --target=router`)
  const kafka = living(join(dir, 'kafka', 'server.properties'))
  const stranger = living('kafka of somebody else')
  mkdirSync(join(dir, 'kafka'))
  writeFileSync(join(dir, 'kafka', 'pid'), `${kafka}\n`)
  files.writePids({ router: service, deliverer: stranger })
  const said: string[] = []
  await files.endLeftovers(line => void said.push(line))
  expect([service, kafka, stranger].map(isAlive)).toEqual([false, false, true])
  expect(said).toEqual(['Ending what an earlier run left: router', 'Ending what an earlier run left: kafka'])
})

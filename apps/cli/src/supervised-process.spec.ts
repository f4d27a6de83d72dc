import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { isAlive } from '@posthorn/embedded'
import { until } from '@posthorn/testkit'
import { SupervisedProcess } from './supervised-process.js'

const WAIT_MS = 30_000
let dir: string
let supervised: SupervisedProcess | undefined
const said: string[] = []
const messages: unknown[] = []

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'supervised-'))
  said.length = 0
  messages.length = 0
})
afterEach(async () => {
  await supervised?.stop()
  rmSync(dir, { recursive: true })
})

function supervise(script: string): SupervisedProcess {
  const file = join(dir, 'child.mjs')
  writeFileSync(file, script)
  supervised = new SupervisedProcess({
    name: 'child',
    args: [file, dir],
    env: process.env,
    outputFd: 2,
    readyIn: message => (message as { addresses?: Record<string, string> }).addresses,
    onMessage: message => void messages.push(message),
    onChange: () => undefined,
    say: line => void said.push(line),
  })
  return supervised
}

const READY = "process.send({ addresses: { 'a.http': `127.0.0.1:${process.pid}` } })\n"
const STAYS = READY + "process.on('disconnect', () => process.exit())\nsetInterval(() => {}, 1000)\n"

test('a process that is killed comes back with another pid and its new addresses', async () => {
  const child = supervise(STAYS)
  await child.start()
  const first = child.pid!
  expect(child.addresses).toEqual({ 'a.http': `127.0.0.1:${first}` })
  process.kill(first, 'SIGKILL')
  await until(() => child.pid !== undefined && child.pid !== first, WAIT_MS)
  await until(() => child.addresses['a.http'] === `127.0.0.1:${child.pid}`, WAIT_MS)
  expect(said).toEqual(['child ended (SIGKILL): starting it again in 0.1 s'])
})

test('the delay doubles while it keeps dying', async () => {
  const child = supervise(`${READY}setTimeout(() => process.exit(3), 10)\n`)
  await child.start()
  await until(() => said.length >= 3, WAIT_MS)
  expect(said.slice(0, 3).map(line => line.split(' in ')[1])).toEqual(['0.1 s', '0.2 s', '0.4 s'])
})

test('a first start that ends before it is ready is final', async () => {
  const child = supervise('process.exit(2)')
  await expect(child.start()).rejects.toThrow('child ended with status 2 before it was ready')
  expect(child.pid).toBeUndefined()
})

test('other messages are handed on', async () => {
  const child = supervise(`${STAYS}process.send({ kind: 'received' })\n`)
  await child.start()
  await until(() => messages.length > 0, WAIT_MS)
  expect(messages).toEqual([{ kind: 'received' }])
})

test('stopping asks first, ends it, and does not start it again', async () => {
  const script = `import { writeFileSync } from 'node:fs'
process.on('SIGTERM', () => { writeFileSync(process.argv[2] + '/asked', 'yes'); process.exit(0) })
`
  const child = supervise(script + STAYS)
  await child.start()
  const pid = child.pid!
  await child.stop()
  expect([isAlive(pid), child.pid, readFileSync(join(dir, 'asked'), 'utf8')]).toEqual([false, undefined, 'yes'])
  expect(said).toEqual([])
})

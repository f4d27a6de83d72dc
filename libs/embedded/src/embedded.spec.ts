import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals'
import type { Kafka } from 'kafkajs'
import pg from 'pg'
import { commandLineOf, endProcess, isAlive } from './child.js'
import { freePorts } from './free-ports.js'
import { startKafka } from './kafka.js'
import { plainKafka } from './plain-kafka.js'
import { startPostgres } from './postgres.js'
import { requireJava } from './requirements.js'

const CACHE = join(import.meta.dirname, '..', '..', '..', '.posthorn', 'cache')
const onProgress = () => undefined
let dir: string
const started: { pid: number }[] = []

// Closed to other users, as a clone in /root would be: as root, Postgres has to manage all the same.
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'embedded-'))))
afterEach(async () => {
  await Promise.all(started.splice(0).map(({ pid }) => endProcess(pid, 'SIGKILL', 1000)))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function keep<T extends { pid: number }>(server: T): T {
  started.push(server)
  return server
}

async function query(url: string, text: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

test('Postgres keeps its data over kill -9, and over another port', async () => {
  const [one, other] = (await freePorts(2)) as [number, number]
  const first = keep(await startPostgres({ dir, port: one, onProgress }))
  await query(first.url, 'CREATE TABLE kept AS SELECT 7 AS x')
  process.kill(first.pid, 'SIGKILL')
  expect(await first.exited).toBe('signal SIGKILL')
  const second = keep(await startPostgres({ dir, port: other, onProgress }))
  expect(await query(second.url, 'SELECT x FROM kept')).toEqual([{ x: 7 }])
  await expect(startPostgres({ dir, port: one, onProgress })).rejects.toMatchObject({ code: 'already_running' })
  await second.stop()
  expect(isAlive(second.pid)).toBe(false)
}, 60_000)

test('Kafka takes work when it is ready, keeps it over a stop, and over other ports', async () => {
  const [port, controllerPort, port2, controllerPort2] = (await freePorts(4)) as [number, number, number, number]
  const options = { dir, cacheDir: CACHE, heap: ['-Xmx256m'], onProgress }
  const timers = jest.spyOn(globalThis, 'setTimeout')
  const first = keep(await startKafka({ ...options, port, controllerPort }))
  expect(commandLineOf(first.pid)).toContain(join(dir, 'kafka', 'server.properties'))
  await withAdmin(first.brokers, admin => admin.createTopics({ waitForLeaders: false, topics: [{ topic: 'kept' }] }))
  await first.stop()
  expect(isAlive(first.pid)).toBe(false)
  const second = keep(await startKafka({ ...options, port: port2, controllerPort: controllerPort2 }))
  expect(await withAdmin(second.brokers, admin => admin.listTopics())).toEqual(['kept'])
  await second.stop()
  // Node warns of those.
  expect(timers.mock.calls.filter(([, ms]) => ms! < 0)).toEqual([])
  timers.mockRestore()
}, 120_000)

async function withAdmin<T>(brokers: string, use: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
  const admin = plainKafka({ brokers: [brokers] }).admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

test('a taken port is refused by a sentence that says how to move', async () => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const refused = startPostgres({ dir, port, onProgress })
  await expect(refused).rejects.toMatchObject({ code: 'port_taken' })
  await expect(refused).rejects.toThrow(`Port ${port} on 127.0.0.1, wanted for Postgres, is in use`)
  server.close()
})

test('free ports are given once, with the one after each', async () => {
  // So many that two who chose by chance alone would meet.
  const given = [...(await freePorts(200)), ...(await freePorts(200))]
  expect(new Set(given.flatMap(port => [port, port + 1])).size).toBe(800)
})

test('without Java the message says how to get it', async () => {
  const refused = requireJava({ JAVA_HOME: '/nowhere' })
  await expect(refused).rejects.toMatchObject({ code: 'java_missing' })
  await expect(refused).rejects.toThrow('apt install openjdk-17-jre-headless')
})

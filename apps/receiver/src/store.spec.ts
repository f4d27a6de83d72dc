import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Store } from './store.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receiver-store-'))
})

afterEach(() => rm(folder, { recursive: true }))

const request = (id: string) => ({ id, type: 'agent.created', receivedAt: '2026-01-31T12:00:00.000Z', body: '{}' })
const lines = async () => (await readFile(join(folder, 'received.jsonl'), 'utf8')).split('\n')

describe('the store', () => {
  it('S8 keeps what it said was stored, whether it came one by one or all at once', async () => {
    const store = await Store.open(folder)
    for (const id of ['a', 'b']) expect(await store.add(request(id))).toBe('stored')
    await Promise.all(Array.from({ length: 200 }, (_, n) => store.add(request(`c${n}`))))
    const copies = await Promise.all([store.add(request('d')), store.add(request('d')), store.add(request('a'))])
    expect(copies).toEqual(['stored', 'duplicate', 'duplicate'])
    await store.close()
    expect(await lines()).toHaveLength(203 + 1)
    const again = await Store.open(folder)
    expect([again.has('a'), again.has('c199'), again.has('e')]).toEqual([true, true, false])
    await again.close()
  })

  it('S8 forgets a line that a crash cut off, and begins the next one on a line of its own', async () => {
    const before = await Store.open(folder)
    await before.add(request('a'))
    await before.close()
    await appendFile(join(folder, 'received.jsonl'), '{"id":"b","ty')
    const store = await Store.open(folder)
    expect(store.has('b')).toBe(false)
    for (const id of ['b', 'c']) await store.add(request(id))
    await store.close()
    const ids = (await lines()).filter(line => line.endsWith('}')).map(line => (JSON.parse(line) as { id: string }).id)
    expect(ids).toEqual(['a', 'b', 'c'])
  })
})

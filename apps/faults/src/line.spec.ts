import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startReceiver, type Receiver } from '@posthorn/testkit'
import { openLine, type Line } from './line.js'

let receiver: Receiver
let line: Line

beforeAll(async () => {
  receiver = await startReceiver(() => ({ status: 200, body: 'taken' }))
  line = await openLine(Number(new URL(receiver.url).port))
})
afterAll(async () => {
  await line.close()
  await receiver.close()
})

/** A connection of its own for each request. */
async function ask(signal?: AbortSignal): Promise<string> {
  const headers = { connection: 'close' }
  const response = await fetch(`http://127.0.0.1:${line.port}/`, { headers, ...(signal && { signal }) })
  return response.text()
}

describe('a line', () => {
  it('passes all on while it is well', async () => {
    expect(await ask()).toBe('taken')
    expect(line.hits).toBe(0)
  })

  it('delays, and loses nothing', async () => {
    line.set('slow')
    const began = performance.now()
    expect(await ask()).toBe('taken')
    expect(performance.now() - began).toBeGreaterThanOrEqual(790)
  })

  it('breaks off an answer when the request has arrived', async () => {
    line.set('cut')
    const before = receiver.requests.length
    await expect(ask()).rejects.toThrow('fetch failed')
    expect(receiver.requests).toHaveLength(before + 1)
  })

  it('stays open and silent, and is well again for new connections', async () => {
    line.set('half_open')
    const before = receiver.requests.length
    await expect(ask(AbortSignal.timeout(300))).rejects.toThrow('timeout')
    expect(receiver.requests).toHaveLength(before)
    line.set('well')
    expect(await ask()).toBe('taken')
  })
})

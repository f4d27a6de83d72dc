import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { sign } from '@posthorn/verify'
import { MAX_BODY_BYTES } from './body.js'
import type { Received } from './notify.js'
import { startReceiver, type RunningReceiver } from './server.js'

const SECRET = 'the secret of this webhook'

let folder: string
let receiver: RunningReceiver
let told: Received[]

const start = () =>
  startReceiver({
    host: '127.0.0.1',
    port: 0,
    secrets: [SECRET],
    folder,
    notify: received => told.push(received),
    complain: message => {
      throw new Error(message)
    },
  })

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receiver-spec-'))
  told = []
  receiver = await start()
})

afterEach(async () => {
  await receiver.stop()
  await rm(folder, { recursive: true })
})

function send(path: string, id: string, secrets = SECRET): Promise<Response> {
  const body = JSON.stringify({ type: 'agent.created', timestamp: new Date(Date.now() - 40).toISOString(), data: {} })
  const headers = sign({ id, timestamp: Math.floor(Date.now() / 1000), body, secrets })
  return fetch(receiver.url + path, { method: 'POST', body, headers })
}

const statuses = async (path: string, id: string, times: number) => {
  const found: number[] = []
  for (let n = 0; n < times; n++) found.push((await send(path, id)).status)
  return found
}

const stored = async () =>
  (await readFile(join(folder, 'received.jsonl'), 'utf8'))
    .split('\n')
    .filter(line => line !== '')
    .map(line => (JSON.parse(line) as { id: string }).id)

describe('the sample receiver', () => {
  it('S8 validates, stores, notifies and answers 200', async () => {
    const response = await send('/hook', 'delivery_1')
    expect(response.status).toBe(200)
    expect(await stored()).toEqual(['delivery_1'])
    expect(told).toEqual([
      {
        kind: 'received',
        type: 'agent.created',
        webhookId: 'delivery_1',
        verified: true,
        latencyMs: expect.any(Number),
        path: '/hook',
        status: 200,
        duplicate: false,
      },
    ])
    expect(told[0]!.latencyMs).toBeGreaterThanOrEqual(40)
  })

  it('S8 rejects an invalid signature with the sentence of the verifier, and stores nothing', async () => {
    const response = await send('/hook', 'delivery_1', 'some other secret')
    expect(response.status).toBe(401)
    expect(await response.json()).toEqual({
      code: 'no_matching_signature',
      message: expect.stringMatching(/^No signature fits: check/),
    })
    expect(await stored()).toEqual([])
    expect(told).toEqual([expect.objectContaining({ verified: false, status: 401, webhookId: 'delivery_1' })])
  })

  it('S8 stores a webhook-id once, also over a restart, and answers 200 to its copies', async () => {
    const first = await Promise.all([send('/hook', 'delivery_1'), send('/hook', 'delivery_1')])
    await receiver.stop()
    receiver = await start()
    const later = await send('/hook', 'delivery_1')
    expect([...first, later].map(({ status }) => status)).toEqual([200, 200, 200])
    expect(told.map(({ duplicate }) => duplicate).sort()).toEqual([false, true, true])
    expect(await stored()).toEqual(['delivery_1'])
  })

  it('S8 /fail?times= fails that often for each webhook-id, storing only what it accepts', async () => {
    expect(await statuses('/fail?times=2', 'delivery_1', 4)).toEqual([500, 500, 200, 200])
    expect(await statuses('/fail?times=2', 'delivery_2', 1)).toEqual([500])
    expect(await stored()).toEqual(['delivery_1'])
  })

  it('S8 /busy?retry-after= asks once to wait', async () => {
    const response = await send('/busy?retry-after=7', 'delivery_1')
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '7'])
    expect(await statuses('/busy?retry-after=7', 'delivery_1', 1)).toEqual([200])
  })

  it('S8 /gone answers 410, /slow?ms= answers late', async () => {
    expect(await statuses('/gone', 'delivery_1', 2)).toEqual([410, 410])
    const before = performance.now()
    expect(await statuses('/slow?ms=150', 'delivery_2', 1)).toEqual([200])
    expect(performance.now() - before).toBeGreaterThanOrEqual(145)
  })

  it('S8 /hang never answers, and does not hold up a stop', async () => {
    const hanging = send('/hang', 'delivery_1').catch((error: unknown) => error)
    while (told.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
    expect(told[0]).toMatchObject({ status: 0, verified: true })
    await receiver.stop()
    expect(await hanging).toHaveProperty('name', 'TypeError')
    receiver = await start()
  })

  it('S8 every path is verified first', async () => {
    for (const path of ['/hook', '/fail?times=1', '/slow?ms=9000', '/hang', '/gone', '/busy'])
      expect([path, (await send(path, 'delivery_1', 'some other secret')).status]).toEqual([path, 401])
  })

  it('S8 takes new secrets at run time, and keeps the old ones when a new one is unusable', async () => {
    expect(() => receiver.replaceSecrets(['short'])).toThrow(TypeError)
    expect((await send('/hook', 'delivery_1')).status).toBe(200)
    receiver.replaceSecrets(['a secret of tomorrow', 'a secret of the day after'])
    expect((await send('/hook', 'delivery_2', 'a secret of the day after')).status).toBe(200)
    expect((await send('/hook', 'delivery_3')).status).toBe(401)
  })

  it('S8 refuses a body over 2 MiB with 413 that the sender can read', async () => {
    const chunk = new Uint8Array(64 * 1024)
    const chunks = async function* () {
      for (let bytes = 0; bytes <= MAX_BODY_BYTES; bytes += chunk.length) yield chunk
    }
    const known = await fetch(`${receiver.url}/hook`, { method: 'POST', body: new Uint8Array(MAX_BODY_BYTES + 1) })
    const unknown = await fetch(`${receiver.url}/hook`, {
      method: 'POST',
      body: chunks(),
      duplex: 'half',
    } as RequestInit)
    expect([known.status, unknown.status]).toEqual([413, 413])
  })

  it('S8 tells its paths at /, and answers 404, 405 and 400 where something else is wrong', async () => {
    expect(await (await fetch(receiver.url)).text()).toContain('/fail?times=N')
    expect((await send('/', 'delivery_1')).status).toBe(404)
    expect((await send('/elsewhere', 'delivery_1')).status).toBe(404)
    expect((await fetch(`${receiver.url}/hook`)).status).toBe(405)
    const response = await send('/fail?times=two', 'delivery_1')
    expect([response.status, await response.json()]).toEqual([
      400,
      { message: 'times is "two": give a whole number from 0 to 1000.' },
    ])
  })

  it('S8 agrees to the handshake of CloudEvents web hooks', async () => {
    const headers = { 'WebHook-Request-Origin': 'hooks.example.com', 'WebHook-Request-Rate': '120' }
    const answer = await fetch(`${receiver.url}/hook`, { method: 'OPTIONS', headers })
    expect([answer.status, answer.headers.get('webhook-allowed-origin')]).toEqual([200, 'hooks.example.com'])
    expect([answer.headers.get('webhook-allowed-rate'), answer.headers.get('allow')]).toEqual([
      '*',
      'POST, PUT, PATCH, OPTIONS',
    ])
    const unasked = await fetch(`${receiver.url}/hook`, { method: 'OPTIONS' })
    expect(unasked.headers.has('webhook-allowed-origin')).toBe(false)
  })
})

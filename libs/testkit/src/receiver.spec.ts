import { afterEach, expect, test } from '@jest/globals'
import { startReceiver, type Receiver } from './receiver.js'

let receiver: Receiver | undefined
afterEach(() => receiver?.close())

test('a request is recorded with its bytes and answered as the handler says', async () => {
  receiver = await startReceiver((request, index) => ({ status: index === 0 ? 500 : 201, body: request.path }))
  const send = () => fetch(`${receiver!.url}/hook?x=1`, { method: 'POST', body: 'ä', headers: { 'x-a': 'b' } })
  expect((await send()).status).toBe(500)
  const second = await send()
  expect([second.status, await second.text()]).toEqual([201, '/hook?x=1'])
  const [first] = await receiver.waitFor(2, 1000)
  expect(first).toMatchObject({ method: 'POST', path: '/hook?x=1', body: Buffer.from('ä'), headers: { 'x-a': 'b' } })
})

test('waiting ends with what the receiver has when the time is over', async () => {
  receiver = await startReceiver()
  await expect(receiver.waitFor(1, 30)).rejects.toThrow('After 30 ms the receiver has 0 requests')
})

test('closing breaks off a request that hangs', async () => {
  receiver = await startReceiver(() => new Promise(() => undefined))
  const hanging = fetch(receiver.url)
  await receiver.waitFor(1, 1000)
  await receiver.close()
  await expect(hanging).rejects.toThrow()
})

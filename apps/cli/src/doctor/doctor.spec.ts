import { createServer as createHttp } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readSettings } from '@posthorn/process'
import { clockFinding } from './check.js'
import { egressChecks } from './egress-checks.js'
import { traceChecks } from './trace-checks.js'

describe('a clock', () => {
  test.each([
    [1_500, 0, 'ok'],
    [-1_500, 0, 'ok'],
    [3_000, 0, 'warn'],
    [3_000, 1_500, 'ok'],
    [-61_000, 0, 'fail'],
    [61_000, 2_000, 'warn'],
  ])('that is %d ms off, known to ±%d ms, is %s', (skew, uncertain, status) => {
    expect(clockFinding('clock.x', 'X', skew, uncertain).status).toBe(status)
  })

  test('is told with its direction', () => {
    expect(clockFinding('clock.x', 'X', -61_000, 20).says).toBe('The clock of X is 61.0 s behind (±20 ms).')
  })
})

describe('the way out', () => {
  // To whoever speaks first it says nothing and hangs up.
  const server = createServer(socket => socket.on('error', () => undefined).once('data', () => socket.destroy()))
  let url: string
  beforeAll(async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => void server.close())
  const allowed = readSettings({ POSTHORN_EGRESS_ALLOW: '127.0.0.0/8' })

  test('is ok where a connection is made', async () => {
    expect(await egressChecks(allowed, url)).toMatchObject([{ status: 'ok' }])
  })

  test('is ok through a proxy that connects', async () => {
    const asked: string[] = []
    const proxy = createHttp().on('connect', (request, socket) => {
      asked.push(request.url!)
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
    })
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
    const { port } = proxy.address() as AddressInfo
    const through = readSettings({
      POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
      POSTHORN_EGRESS_PROXY_URL: `http://127.0.0.1:${port}`,
    })
    expect(await egressChecks(through, url)).toMatchObject([{ status: 'ok' }])
    expect(asked).toEqual([new URL(url).host])
    proxy.closeAllConnections()
    proxy.close()
  })

  test.each([
    ['an address that is not allowed', () => readSettings({}), () => url, 'POSTHORN_EGRESS_ALLOW'],
    [
      'a name of such an address',
      () => readSettings({}),
      () => url.replace('127.0.0.1', 'localhost'),
      'POSTHORN_EGRESS_ALLOW',
    ],
    ['a port that is not permitted', () => allowed, () => 'http://127.0.0.1:1', 'POSTHORN_EGRESS_PORTS'],
    [
      'a port that is shut',
      () => readSettings({ POSTHORN_EGRESS_ALLOW: '127.0.0.0/8', POSTHORN_EGRESS_PORTS: '1' }),
      () => 'http://127.0.0.1:1',
      'firewalls',
    ],
    [
      'a proxy that is away',
      () => readSettings({ POSTHORN_EGRESS_ALLOW: '127.0.0.0/8', POSTHORN_EGRESS_PROXY_URL: 'http://127.0.0.1:1' }),
      () => url,
      'POSTHORN_EGRESS_PROXY_URL',
    ],
    ['a name that is not there', () => allowed, () => 'http://nowhere.invalid', 'DNS'],
    ['TLS with something that speaks none', () => allowed, () => url.replace('http:', 'https:'), ''],
  ])('fails for %s, and says what to do', async (_title, settings, target, advice) => {
    const [finding] = await egressChecks(settings(), target())
    expect(finding).toMatchObject({ status: 'fail', advice: expect.stringContaining(advice) })
  })
})

describe('the collector of traces', () => {
  const server = createHttp(({ url }, response) => response.writeHead(url === '/v1/traces' ? 200 : 404).end('{}'))
  let url: string
  beforeAll(async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => void server.close())
  const looked = async (collector: string) => traceChecks(readSettings({ POSTHORN_TRACE_OTLP_URL: collector }))

  test('is not looked at where no span is recorded', async () => {
    expect(await traceChecks(readSettings({}))).toEqual([])
  })

  test('is ok where it takes spans, and told where it does not', async () => {
    expect(await looked(`${url}/`)).toMatchObject([{ name: 'traces', status: 'ok' }])
    expect(await looked(`${url}/elsewhere`)).toMatchObject([{ status: 'fail', says: expect.stringContaining('404') }])
    expect(await looked('http://127.0.0.1:1')).toMatchObject([
      { status: 'fail', advice: expect.stringContaining('lost') },
    ])
  })
})

import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterEach, expect, test } from '@jest/globals'
import { planLocal, requirePorts, settingsOf, wantedPorts } from './local-plan.js'

const SECRETS = { platformKey: 'p'.repeat(24), sealingKeys: `k:${Buffer.alloc(32).toString('base64')}` }
let server: Server | undefined
afterEach(() => void server?.close())

test('one machine: loopback is allowed and listened on, unless the user says otherwise', async () => {
  const plan = await planLocal({ POSTHORN_LOG_LEVEL: 'warn' })
  expect(plan.env).toMatchObject({
    POSTHORN_EGRESS_ALLOW: '127.0.0.0/8,::1/128',
    POSTHORN_LISTEN_HOST: '127.0.0.1',
    POSTHORN_LOG_LEVEL: 'warn',
  })
  expect((await planLocal({ POSTHORN_EGRESS_ALLOW: '10.0.0.0/8' })).env.POSTHORN_EGRESS_ALLOW).toBe('10.0.0.0/8')
})

test('variables of the commands do not reach the services, which would refuse them', async () => {
  const plan = await planLocal({ POSTHORN_EMBEDDED_DIR: '/x', POSTHORN_RECEIVER_PORT: '9', POSTHORN_TEST_X: 'y' })
  expect([plan.dir, plan.receiverPort]).toEqual(['/x', 9])
  const { env } = settingsOf(plan, '127.0.0.1:1', 'postgres://a:b@127.0.0.1/c', SECRETS)
  expect(Object.keys(env).filter(name => /EMBEDDED|RECEIVER|TEST/.test(name))).toEqual([])
})

test('servers of the user take the place of the embedded ones', async () => {
  const plan = await planLocal({ POSTHORN_KAFKA_BROKERS: 'k:1,k:2', POSTHORN_DATABASE_URL: 'postgres://d' })
  expect([plan.kafka, plan.postgres]).toEqual([
    { kind: 'own', address: 'k:1,k:2' },
    { kind: 'own', address: 'postgres://d' },
  ])
})

test("KAFKA_HEAP_OPTS is handed to the embedded Kafka, as Kafka's own scripts do", async () => {
  const heapOf = async (env: NodeJS.ProcessEnv) => {
    const { kafka } = await planLocal(env)
    return kafka.kind === 'embedded' ? kafka.heap : 'not embedded'
  }
  expect(await heapOf({ KAFKA_HEAP_OPTS: ' -Xmx1G  -Xms1G' })).toEqual(['-Xmx1G', '-Xms1G'])
  expect([await heapOf({}), await heapOf({ KAFKA_HEAP_OPTS: '' })]).toEqual([undefined, undefined])
})

test('a free port is chosen once, so that a restarted service comes back to it', async () => {
  const plan = await planLocal({ POSTHORN_INGEST_PORT: '0' })
  expect(Number(plan.env.POSTHORN_INGEST_PORT)).toBeGreaterThan(1023)
})

test('a misspelt setting is refused before anything is started', async () => {
  const plan = await planLocal({ POSTHORN_LOG_LEVLE: 'warn' })
  expect(() => settingsOf(plan, '', '', SECRETS)).toThrow('POSTHORN_LOG_LEVLE is not a setting')
})

test('a taken port is named with its use and the variable that moves it', async () => {
  server = createServer()
  await new Promise<void>(resolve => server!.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const plan = await planLocal({ POSTHORN_INGEST_PORT: String(port), POSTHORN_REGISTRY_PORT: String(port) })
  const wanted = wantedPorts(plan, settingsOf(plan, '', '', SECRETS).settings, { processes: true, receiver: true })
  expect(wanted.map(({ what }) => what)).toContain('the sample receiver')
  expect(wanted.map(({ what }) => what)).not.toContain('health and metrics')
  const taken = wanted.filter(each => each.port === port)
  await expect(requirePorts(taken)).rejects.toThrow(
    new RegExp(
      `Port ${port} on 127.0.0.1, wanted for the REST API, .* POSTHORN_REGISTRY_PORT[^]*wanted for the REST API .*and for publishing: set POSTHORN_INGEST_PORT`,
    ),
  )
})

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { answerOf, createApiClient, type ApiClient } from '@posthorn/api/client'
import {
  queryDatabase,
  startMailbox,
  startReceiver,
  startStack,
  until,
  type Mail,
  type Mailbox,
  type Receiver,
  type Stack,
} from '@posthorn/testkit'

const WAIT_MS = 60_000
/** Nothing is told before hasten(), however long a monitor takes to be killed. */
const GROUP_SECONDS = 600
/** A monitor is there again, and looks every second. */
const NOTHING_COMES_MS = 10_000

describe('A monitor that is killed before it has told of an alert', () => {
  let stack: Stack
  let api: ApiClient
  let receiver: Receiver
  let mailbox: Mailbox
  /** While it is set, the server has what it got and does not answer. */
  let answer: Promise<void> | undefined

  beforeAll(async () => {
    receiver = await startReceiver(() => ({ status: 500 }))
    mailbox = await startMailbox(async () => answer)
    stack = await startStack({
      POSTHORN_MONITOR_ALERT_EVERY_SECONDS: '1',
      POSTHORN_MONITOR_ALERT_RULES: JSON.stringify({ dead_letters: { threshold: 0 } }),
      POSTHORN_MONITOR_SMTP_URL: mailbox.url,
    })
    api = createApiClient({ url: stack.api, key: stack.key })
    const channel = { name: 'on call', type: 'email' as const, to: ['oncall@example.com'], rules: ['dead_letters'] }
    const body = { ...channel, scope: 'platform' as const, group_seconds: GROUP_SECONDS }
    await answerOf(api.POST('/v1/alert-channels', { body }))
  }, 120_000)

  afterAll(async () => {
    await stack?.stop()
    await Promise.all([receiver?.close(), mailbox?.close()])
  }, 60_000)

  const alerts = async (status: 'firing' | 'resolved') =>
    (await answerOf(api.GET('/v1/alerts', { params: { query: { scope: 'all', status, rule: 'dead_letters' } } }))).data
  const told = async (id: string) => {
    const params = { path: { id }, query: { scope: 'all' as const } }
    return (await answerOf(api.GET('/v1/alerts/{id}', { params }))).notifications
  }
  const turn = (enabled: boolean) =>
    answerOf(
      api.PATCH('/v1/alert-rules/{id}', {
        params: { path: { id: 'dead_letters' }, query: { scope: 'platform' } },
        body: { enabled },
      }),
    )
  /** Of a tenant of its own: what is counted there counts for one alert. */
  async function fire(tenant: string): Promise<string> {
    const ofTenant = (url: string) => createApiClient({ url, key: stack.key, tenant })
    await answerOf(api.POST('/v1/tenants', { body: { id: tenant } }))
    const body = { url: receiver.url, events: ['agent.created'], retry_policy: { attempts: 1 } }
    await answerOf(ofTenant(stack.api).POST('/v1/webhooks', { body }))
    await answerOf(ofTenant(stack.publish).POST('/v1/publish', { body: { type: 'agent.created', data: {} } }))
    const found = async () => (await alerts('firing')).find(alert => alert.tenant === tenant)
    await until(async () => (await found()) !== undefined, WAIT_MS)
    return (await found())!.id
  }
  /** As the time to wait for others does. */
  const hasten = () =>
    queryDatabase(stack.postgres, `update alert_notifications set due_at = now() where status = 'waiting'`)
  const kill = () => process.kill(stack.currentPids().monitor!, 'SIGKILL')
  const wordOf = ({ text }: Mail) => /^(FIRING|RESOLVED)/m.exec(text)?.[1]

  it('S14 leaves it to the next one, which tells it once', async () => {
    const id = await fire('early')
    kill()
    expect(mailbox.mails).toEqual([])
    expect(await told(id)).toMatchObject([{ what: 'firing', status: 'waiting' }])
    await hasten()
    await until(async () => (await told(id)).every(({ status }) => status === 'sent'), WAIT_MS)
    expect(mailbox.mails.map(wordOf)).toEqual(['FIRING'])
  }, 120_000)

  it('S14 has it told again, known by its Message-ID, and its end only then', async () => {
    let letAnswer!: () => void
    answer = new Promise(resolve => (letAnswer = resolve))
    const before = mailbox.mails.length
    const id = await fire('late')
    await hasten()
    await until(() => mailbox.mails.length > before, WAIT_MS)
    kill()
    answer = undefined
    letAnswer()
    await turn(false)
    await until(async () => (await told(id)).some(({ what }) => what === 'resolved'), WAIT_MS)
    const ofLate = () => mailbox.mails.slice(before).filter(({ text }) => text.includes('late'))
    await hasten()
    await new Promise(resolve => setTimeout(resolve, NOTHING_COMES_MS))
    expect(ofLate().map(wordOf)).toEqual(['FIRING'])
    // As two minutes do.
    const lapse = 'update alert_notifications set claimed_until = now() where claimed_until is not null'
    await queryDatabase(stack.postgres, lapse)
    await until(async () => (await told(id)).every(({ status }) => status === 'sent'), WAIT_MS)
    const mails = ofLate()
    // Told again is how it stands by then.
    expect(mails.map(wordOf)).toEqual(['FIRING', 'RESOLVED', 'RESOLVED'])
    const [first, again, end] = mails.map(({ messageId }) => messageId)
    expect([again === first, end === first]).toEqual([true, false])
  }, 300_000)
})

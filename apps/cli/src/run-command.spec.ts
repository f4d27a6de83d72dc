import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { COMMANDS } from './commands.js'
import { runCommand } from './run-command.js'

/** Runs it where no stack is, and answers what a shell would see. */
async function posthorn(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const out: string[] = []
  const err: string[] = []
  const status = await runCommand(args, {
    stop: new AbortController().signal,
    env: { POSTHORN_EMBEDDED_DIR: join(tmpdir(), 'no-posthorn-here'), ...env },
    print: text => out.push(text),
    say: line => err.push(line),
  })
  return { status, out: out.join('\n'), err: err.join('\n') }
}

describe('the exit status', () => {
  test.each([[[]], [['nope']], [['toString']], [['webhooks']], [['webhooks', 'get']], [['doctor', '--egress', 'x']]])(
    'is 2, with the usage on stderr, for %j',
    async args => {
      const { status, out, err } = await posthorn(args)
      expect({ status, out }).toEqual({ status: 2, out: '' })
      expect(err).toMatch(/--help|usage:/)
    },
  )

  test('is 1 without a key, and says how to get one', async () => {
    expect(await posthorn(['webhooks', 'list'])).toEqual({
      status: 1,
      out: '',
      err: expect.stringContaining('posthorn keys create --database'),
    })
  })

  test('is 1 when nobody answers; with --json the error is on stdout, too', async () => {
    const env = { POSTHORN_API_KEY: 'k', POSTHORN_API_URL: 'http://127.0.0.1:9' }
    const { status, out, err } = await posthorn(['tenants', 'list', '--json'], env)
    expect(status).toBe(1)
    expect(JSON.parse(out)).toEqual({ error: { message: err } })
    expect(err).toMatch(/^http:\/\/127\.0\.0\.1:9 does not answer .* --api-url \(POSTHORN_API_URL\) right\?$/)
  })

  test('of keys create --database names what is missing or too much', async () => {
    const first = ['keys', 'create', '--database']
    expect(await posthorn([...first, '--name', 'a'])).toMatchObject({
      status: 1,
      err: expect.stringContaining('POSTHORN_DATABASE_URL is not set'),
    })
    expect(await posthorn(first)).toMatchObject({ status: 2, err: expect.stringContaining('--name must be') })
    expect(await posthorn([...first, '--name', 'a', '--roles', 'read'])).toMatchObject({ status: 2 })
    const refused = { POSTHORN_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }
    expect(await posthorn([...first, '--name', 'a'], refused)).toMatchObject({ status: 1, out: '' })
  })

  test('of events publish is 2 when the options contradict each other', async () => {
    const env = { POSTHORN_API_KEY: 'k' }
    for (const args of [[], ['--cloudevents'], ['--body', '{}', '--type', 'a'], ['--type', 'a', '--cloudevents']])
      expect(await posthorn(['events', 'publish', ...args], env)).toMatchObject({ status: 2, out: '' })
  })
})

describe('sign and verify', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sign-'))
  const body = join(dir, 'body.json')
  writeFileSync(body, '{"type":"agent.created","n":1e400}')
  afterAll(() => rmSync(dir, { recursive: true }))
  const env = { POSTHORN_WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }
  const SIGNED = ['--id', 'msg_1', '--timestamp', '1731705121']
  const signed = async () => (await posthorn(['sign', ...SIGNED, body], env)).out.split('\n')
  const headers = (lines: readonly string[]) => lines.flatMap(line => ['--header', line])

  test('S6 fit each other, byte for byte', async () => {
    const lines = await signed()
    expect(lines).toEqual([
      'webhook-id: msg_1',
      'webhook-timestamp: 1731705121',
      expect.stringMatching(/^webhook-signature: v1,/),
    ])
    const { status, out } = await posthorn(['verify', ...headers(lines), '--at', '1731705200', body], env)
    expect({ status, out }).toEqual({
      status: 0,
      out: 'The signature is right: msg_1 (agent.created), signed 2024-11-15T21:12:01.000Z.',
    })
  })

  test('S6 refuse with a code and a sentence what was changed, is old, or is signed by another secret', async () => {
    const lines = await signed()
    const other = join(dir, 'other.json')
    writeFileSync(other, '{"type":"agent.created","n":2}')
    const check = (file: string, at: string, more: readonly string[] = []) =>
      posthorn(['verify', ...headers(lines), '--at', at, ...more, file], env)
    expect(await check(other, '1731705121')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^no_matching_signature: /),
    })
    expect(await check(body, '1731709999')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^timestamp_too_old: /),
    })
    const wrong = await check(body, '1731705121', [
      '--secret',
      'whsec_' + Buffer.alloc(32).toString('base64'),
      '--json',
    ])
    expect([wrong.status, JSON.parse(wrong.out)]).toMatchObject([1, { verified: false, code: 'no_matching_signature' }])
  })

  test('S6 sign and verify by HMAC-SHA512, as GitHub does, and by plain hex', async () => {
    const sha512 = (await posthorn(['sign', ...SIGNED, '--signing', 'standard_sha512', body], env)).out.split('\n')
    expect(sha512[2]).toMatch(/^webhook-signature: hs512,/)
    const checked = await posthorn(['verify', ...headers(sha512), '--at', '1731705121', body], env)
    expect(checked.status).toBe(0)
    const hub = ['--signing', 'hub', '--signing-header', 'X-Acme']
    const lines = (await posthorn(['sign', ...SIGNED, ...hub, body], env)).out.split('\n')
    expect(lines).toEqual([
      'webhook-id: msg_1',
      'webhook-timestamp: 1731705121',
      expect.stringMatching(/^x-acme: sha256=[0-9a-f]{64}$/),
    ])
    expect(await posthorn(['verify', ...headers(lines), ...hub, body], env)).toMatchObject({
      status: 0,
      out: 'The signature is right: msg_1 (agent.created), signed at no time that it says.',
    })
    const hex = ['--signing', 'hex', '--signing-header', 'X-Acme']
    const plain = (await posthorn(['sign', ...SIGNED, ...hex, body], env)).out.split('\n')
    expect(plain[2]).toBe(lines[2]!.replace('sha256=', ''))
    expect((await posthorn(['verify', ...headers(plain), ...hex, body], env)).status).toBe(0)
    const mistaken = await posthorn(['verify', ...headers(lines), ...hex, body], env)
    expect(mistaken).toMatchObject({ status: 1, err: expect.stringMatching(/^signature_missing: /) })
    const other = await posthorn(['verify', ...headers(lines), ...hub, '--secret', 'sixteen letters!', body], env)
    expect(other).toMatchObject({ status: 1, err: expect.stringMatching(/^no_matching_signature: /) })
  })

  test.each([
    [['sign', '--signing', 'md5', body], 2, '--signing must be'],
    [['sign', '--signing-header', 'x-a', body], 2, 'is for --signing hub and hex'],
    [['sign', '--signing', 'hub', '--secret', 'x'.repeat(16), '--secret', 'y'.repeat(16), body], 2, 'One secret only'],
    [['sign', '--timestamp', 'x', body], 2, '--timestamp must be'],
    [['sign', join(dir, 'none')], 2, 'Cannot read'],
    [['sign', '--secret', 'short', body], 1, 'secret'],
    [['verify', body], 2, '--header is needed'],
    [['verify', '--header', 'x', body], 2, 'must be "name: value"'],
    [['trigger'], 2, 'One event type'],
    [['trigger', 'a', '--set', '=1'], 2, '--set must be'],
  ])('say what is wrong with %j', async (args, status, says) => {
    expect(await posthorn(args, env)).toMatchObject({ status, out: '', err: expect.stringContaining(says) })
  })
})

describe('the help', () => {
  test('names every command', async () => {
    const { status, out } = await posthorn(['--help'])
    expect(status).toBe(0)
    for (const name of Object.keys(COMMANDS)) expect(out).toContain(`  ${name} `)
  })

  test.each(Object.keys(COMMANDS))('of %s is on stdout, and shows an example', async name => {
    const { status, out, err } = await posthorn([name, '--help'])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(new RegExp(`examples:\\n  posthorn ${name}`))
  })
})

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
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

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createAuthority } from '@posthorn/testkit'
import { runCommand } from './run-command.js'

const dir = mkdtempSync(join(tmpdir(), 'posthorn-client-tls-'))
const authority = createAuthority('servers')
const clients = createAuthority('clients')
let server: Server
let url: string

function file(name: string, text: string): string {
  writeFileSync(join(dir, name), text)
  return join(dir, name)
}

beforeAll(async () => {
  const issued = authority.issue('registry', ['localhost'], ['127.0.0.1'])
  server = createServer({ ...issued, ca: clients.ca, requestCert: true, rejectUnauthorized: true }, (_, response) =>
    response.setHeader('content-type', 'application/json').end('{"data":[],"next_cursor":null}'),
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
  rmSync(dir, { recursive: true })
})

async function list(env: Readonly<Record<string, string>>) {
  const said: string[] = []
  const status = await runCommand(['keys', 'list', '--json'], {
    stop: new AbortController().signal,
    env: { POSTHORN_API_URL: url, POSTHORN_API_KEY: 'k', POSTHORN_EMBEDDED_DIR: dir, ...env },
    print: text => void said.push(text),
    say: line => void said.push(line),
  })
  return { status, said: said.join('\n') }
}

describe('S7 the command line over TLS', () => {
  test('trusts the CA that is named, and shows the certificate that is asked for', async () => {
    const { cert, key } = clients.issue('operator')
    const [ca, certFile, keyFile] = [file('ca', authority.ca), file('cert', cert), file('key', key)]
    expect(await list({})).toMatchObject({ status: 1 })
    expect(await list({ POSTHORN_CA_FILE: ca })).toMatchObject({ status: 1 })
    const all = { POSTHORN_CA_FILE: ca, POSTHORN_CLIENT_CERT_FILE: certFile, POSTHORN_CLIENT_KEY_FILE: keyFile }
    expect(await list(all)).toEqual({ status: 0, said: '{"data":[],"next_cursor":null}' })
  })

  test.each([
    [{ POSTHORN_CA_FILE: '/no/such' }, 'POSTHORN_CA_FILE: cannot read /no/such (ENOENT).'],
    [{ POSTHORN_CLIENT_CERT_FILE: import.meta.filename }, 'POSTHORN_CLIENT_CERT_FILE and POSTHORN_CLIENT_KEY_FILE'],
  ])('%j is said', async (env, message) => {
    expect(await list(env)).toEqual({ status: 1, said: expect.stringContaining(message) })
  })
})

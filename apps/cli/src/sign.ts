import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { sign, signHex, signHub } from '@posthorn/verify'
import { UsageError, type Terminal } from './command.js'
import { bodyFrom, secondsOf, secretsOf, SIGNING_OPTIONS, signingOf, withUsableSecrets } from './signed-input.js'

/** Prints the headers that Posthorn would send with a body: curl -H @<(posthorn sign …) tries a receiver. */
export async function run(args: readonly string[], { print, env }: Terminal): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      secret: { type: 'string', multiple: true },
      id: { type: 'string' },
      timestamp: { type: 'string' },
      prefix: { type: 'string', default: 'webhook' },
      ...SIGNING_OPTIONS,
      json: { type: 'boolean', default: false },
    },
  })
  const secrets = secretsOf(values.secret, env)
  const timestamp = secondsOf('timestamp', values.timestamp) ?? Math.floor(Date.now() / 1000)
  const { id = `msg_${randomUUID().replaceAll('-', '')}`, prefix } = values
  const signing = signingOf(values)
  const body = bodyFrom(positionals)
  const headers = withUsableSecrets(() => {
    if (signing.type === 'standard' || signing.type === 'standard_sha512')
      return sign({ id, timestamp, body, secrets, prefix, hash: signing.type === 'standard' ? 'sha256' : 'sha512' })
    if (secrets.length > 1) throw new UsageError('One secret only: one header holds one signature.')
    const { header } = signing
    const signBody = signing.type === 'hub' ? signHub : signHex
    const told = { [`${prefix}-id`]: id, [`${prefix}-timestamp`]: String(timestamp) }
    return { ...told, ...signBody({ body, secret: secrets[0]!, ...(header === undefined ? {} : { header }) }) }
  })
  if (values.json) print(JSON.stringify(headers))
  else
    print(
      Object.entries(headers)
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n'),
    )
  return 0
}

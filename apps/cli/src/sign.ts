import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { sign } from '@posthorn/verify'
import type { Terminal } from './command.js'
import { bodyFrom, secondsOf, secretsOf, withUsableSecrets } from './signed-input.js'

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
      json: { type: 'boolean', default: false },
    },
  })
  const secrets = secretsOf(values.secret, env)
  const timestamp = secondsOf('timestamp', values.timestamp) ?? Math.floor(Date.now() / 1000)
  const { id = `msg_${randomUUID().replaceAll('-', '')}`, prefix } = values
  const body = bodyFrom(positionals)
  const headers = withUsableSecrets(() => sign({ id, timestamp, body, secrets, prefix }))
  if (values.json) print(JSON.stringify(headers))
  else
    print(
      Object.entries(headers)
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n'),
    )
  return 0
}

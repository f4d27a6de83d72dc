import { parseArgs } from 'node:util'
import { VerificationError, verify, type VerifyOptions } from '@posthorn/verify'
import { UsageError, type Terminal } from './command.js'
import { bodyFrom, secondsOf, secretsOf, withUsableSecrets } from './signed-input.js'

/** Says whether a request is signed with a secret, and if not, why: status 1 then. */
export async function run(args: readonly string[], { print, say, env }: Terminal): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      secret: { type: 'string', multiple: true },
      header: { type: 'string', short: 'H', multiple: true },
      at: { type: 'string' },
      tolerance: { type: 'string' },
      prefix: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const at = secondsOf('at', values.at)
  const request: VerifyOptions = {
    secrets: secretsOf(values.secret, env),
    headers: headersOf(values.header ?? []),
    body: bodyFrom(positionals),
    toleranceSeconds: secondsOf('tolerance', values.tolerance) ?? 300,
    ...(values.prefix === undefined ? {} : { prefix: values.prefix }),
    ...(at === undefined ? {} : { now: at * 1000 }),
  }
  try {
    const { id, timestamp, type } = withUsableSecrets(() => verify(request))
    const found = { id, timestamp, ...(type === undefined ? {} : { type }) }
    print(
      values.json
        ? JSON.stringify({ verified: true, ...found })
        : `The signature is right: ${id}${type === undefined ? '' : ` (${type})`}, signed ${new Date(timestamp * 1000).toISOString()}.`,
    )
    return 0
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    if (values.json) print(JSON.stringify({ verified: false, code: error.code, message: error.message }))
    else say(`${error.code}: ${error.message}`)
    return 1
  }
}

/** As curl has them: "name: value". */
function headersOf(lines: readonly string[]): Record<string, string> {
  if (lines.length === 0)
    throw new UsageError('--header is needed for id, timestamp and signature: --header "webhook-id: …".')
  return Object.fromEntries(
    lines.map(line => {
      const colon = line.indexOf(':')
      if (colon < 1) throw new UsageError(`--header must be "name: value", and not "${line}".`)
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
}

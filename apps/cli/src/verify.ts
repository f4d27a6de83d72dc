import { parseArgs } from 'node:util'
import { VerificationError, verify, verifyHex, verifyHub, type VerifyOptions } from '@posthorn/verify'
import { UsageError, type Terminal } from './command.js'
import {
  bodyFrom,
  secondsOf,
  secretsOf,
  SIGNING_OPTIONS,
  signingOf,
  withUsableSecrets,
  type CliSigning,
} from './signed-input.js'

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
      ...SIGNING_OPTIONS,
      json: { type: 'boolean', default: false },
    },
  })
  const at = secondsOf('at', values.at)
  const signing = signingOf(values)
  const request: VerifyOptions = {
    secrets: secretsOf(values.secret, env),
    headers: headersOf(values.header ?? []),
    body: bodyFrom(positionals),
    toleranceSeconds: secondsOf('tolerance', values.tolerance) ?? 300,
    ...(values.prefix === undefined ? {} : { prefix: values.prefix }),
    ...(at === undefined ? {} : { now: at * 1000 }),
  }
  try {
    const found = withUsableSecrets(() => foundIn(request, signing))
    print(values.json ? JSON.stringify({ verified: true, ...found }) : sentenceOf(found))
    return 0
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    if (values.json) print(JSON.stringify({ verified: false, code: error.code, message: error.message }))
    else say(`${error.code}: ${error.message}`)
    return 1
  }
}

interface Found {
  readonly id?: string
  readonly timestamp?: number
  readonly type?: string
}

/** What is known of a request that is signed; where the body alone is, neither id nor time are. */
function foundIn(request: VerifyOptions, signing: CliSigning): Found {
  const { payload: _, ...found } = verifyBy(request, signing)
  return found
}

function verifyBy(request: VerifyOptions, signing: CliSigning) {
  if (signing.type === 'standard' || signing.type === 'standard_sha512') return verify(request)
  const named = { ...request, ...(signing.header === undefined ? {} : { header: signing.header }) }
  return signing.type === 'hub' ? verifyHub(named) : verifyHex(named)
}

function sentenceOf({ id, timestamp, type }: Found): string {
  const what = [id ?? 'the body', ...(type === undefined ? [] : [`(${type})`])].join(' ')
  const when = timestamp === undefined ? 'at no time that it says' : new Date(timestamp * 1000).toISOString()
  return `The signature is right: ${what}, signed ${when}.`
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

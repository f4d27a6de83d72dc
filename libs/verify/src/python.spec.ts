import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { hasPython, runPython } from '@posthorn/testkit'
import { compileSecret, secretFrom, signStandard } from '@posthorn/webhook'
import { verify } from './index.js'

interface Question {
  readonly secret: string
  readonly id: string
  readonly timestamp: number
  readonly body: string
  /** Undefined: the package is asked to sign. */
  readonly signature?: string
}

/** What the package answers is a signature, `accepted`, or the name of what it raised. Its clock stands at the timestamp. */
const PROGRAM = `
import json, sys, datetime as clock
from standardwebhooks import webhooks
class Clock(clock.datetime):
    @classmethod
    def now(cls, tz=None): return cls.at
webhooks.datetime = Clock
def answer(q):
    secret = q["secret"]
    hook = webhooks.Webhook(secret if secret.startswith("whsec_") else secret.encode())
    Clock.at = clock.datetime.fromtimestamp(q["timestamp"], clock.timezone.utc)
    if "signature" not in q: return hook.sign(q["id"], Clock.at, q["body"])
    headers = {"Webhook-Id": q["id"], "Webhook-Timestamp": str(q["timestamp"]), "Webhook-Signature": q["signature"]}
    try: hook.verify(q["body"].encode(), headers, json_parse=False)
    except Exception as error: return type(error).__name__
    return "accepted"
print(json.dumps([answer(q) for q in json.load(sys.stdin)]))
`

/** Python reads base64 past bits that mean nothing: the signature is the same, and nothing is forged by it. */
const TAKEN_BY_PYTHON = 'v1: base64 that is not canonical'
const REFUSED = 'WebhookVerificationError'
const LIMIT_MS = 240_000
const [test, reason] = hasPython() ? [it, ''] : [it.skip, ' (NOT RUN: there is no python3 with venv and pip)']

describe(`S6 the package standardwebhooks of PyPI${reason}`, () => {
  test(
    'decides the public vectors as verify does',
    async () => {
      const file = new URL('../vectors.json', import.meta.url)
      const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as {
        vectors: readonly (Required<Question> & { name: string; verifying_secret: string; accepted: boolean })[]
      }
      // It does not know v1a and hs512, and reads the body as UTF-8.
      const shared = vectors.filter(
        one => !one.verifying_secret.startsWith('whpk_') && !one.name.startsWith('hs512') && one.body !== undefined,
      )
      expect(shared.length).toBeGreaterThan(15)
      const answers = await ask(shared.map(one => ({ ...one, secret: one.verifying_secret })))
      const decided = shared.map(({ name }, at) => ({ name, accepted: answers[at] === 'accepted' }))
      expect(decided).toEqual(
        shared.map(({ name, accepted }) => ({ name, accepted: accepted || name === TAKEN_BY_PYTHON })),
      )
    },
    LIMIT_MS,
  )

  test(
    'takes what Posthorn signs, with any secret of an overlap, and refuses a changed body, id or secret',
    async () => {
      const answers = await ask(SIGNED.flatMap(one => [one, ...spoiled(one)]))
      const wanted = ['accepted', REFUSED, REFUSED, REFUSED]
      expect(answers).toEqual(SIGNED.flatMap(() => wanted))
    },
    LIMIT_MS,
  )

  test(
    'signs what verify takes',
    async () => {
      const asked = SIGNED.map(({ signature: _, ...rest }) => rest)
      const answers = await ask(asked)
      for (const [at, { id, timestamp, body, secret }] of asked.entries()) {
        const headers = {
          'webhook-id': id,
          'webhook-timestamp': `${timestamp}`,
          'webhook-signature': answers[at]!,
        }
        expect(verify({ body, headers, secrets: secret, now: timestamp * 1000 })).toMatchObject({ id, timestamp })
      }
    },
    LIMIT_MS,
  )
})

const SECRETS = [24, 32, 64].map(length => secretFrom(Buffer.alloc(length, length))).concat('sixteen letters, or more')
const BODIES = ['', '{}', '{"n": 1.0}', '{"name":"Grüße 🎺"}', 'a.b\r\n.c', '\u0000', 'x'.repeat(100_000)]

/** Each body signed with two secrets, as during an overlap, for a receiver that knows the second. */
const SIGNED: readonly Required<Question>[] = SECRETS.flatMap(secret =>
  BODIES.map((body, at) => {
    const [id, timestamp] = [`delivery_${at}`, 1_772_000_000 + at]
    const keys = [secretFrom(Buffer.alloc(32, 1)), secret].map(compileSecret)
    return { secret, id, timestamp, body, signature: signStandard(keys, id, timestamp, Buffer.from(body)) }
  }),
)

function spoiled(one: Required<Question>): Question[] {
  return [
    { ...one, body: `${one.body} ` },
    { ...one, id: `${one.id}0` },
    { ...one, secret: secretFrom(Buffer.alloc(32, 2)) },
  ]
}

async function ask(questions: readonly Question[]): Promise<readonly string[]> {
  const options = { timeoutMs: 60_000, input: JSON.stringify(questions) }
  const { status, output } = await runPython('standardwebhooks', '1.1.0', 'python', ['-c', PROGRAM], options)
  if (status !== 0) throw new Error(`python ended with ${status}: ${output}`)
  return JSON.parse(output) as readonly string[]
}

import { setTimeout as wait } from 'node:timers/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { MAX_BODY_BYTES, readBody } from './body.js'
import { planFor, type Mode } from './modes.js'
import type { Notify, Received } from './notify.js'
import type { Refusals } from './refusals.js'
import type { Store } from './store.js'
import { validate } from './validate.js'

export interface Steps {
  /** Any of them may have signed; replaced as a whole. */
  secrets: readonly string[]
  readonly store: Store
  readonly notify: Notify
  readonly refusals: Refusals
}

/** Validate → store → notify → 200. Rejects when the receiver itself fails: answer 500, and it is sent again. */
export async function receive(request: IncomingMessage, response: ServerResponse, mode: Mode, steps: Steps) {
  const { store, refusals } = steps
  const body = await readBody(request)
  const now = Date.now()
  const told: Omit<Received, 'status'> = {
    kind: 'received',
    type: undefined,
    webhookId: request.headers['webhook-id']?.toString(),
    verified: false,
    latencyMs: undefined,
    path: request.url!,
    duplicate: false,
  }
  if (body === 'too_large') {
    steps.notify({ ...told, status: 413 })
    response.setHeader('connection', 'close')
    return answer(response, 413, { message: `The body is larger than ${MAX_BODY_BYTES} bytes.` })
  }

  const validation = validate(body, request.headers, steps.secrets, now)
  if (validation.kind === 'refused') {
    steps.notify({ ...told, status: 401 })
    return answer(response, 401, { code: validation.code, message: validation.message })
  }
  const { webhookId, type, latencyMs } = validation
  const verified = { ...told, webhookId, type, latencyMs, verified: true }

  const plan = planFor(mode, refusals.of(webhookId), store.has(webhookId))
  switch (plan.kind) {
    case 'hang':
      return steps.notify({ ...verified, status: 0 })
    case 'refuse':
      refusals.add(webhookId)
      steps.notify({ ...verified, status: plan.status })
      if (plan.retryAfterSeconds !== undefined) response.setHeader('retry-after', plan.retryAfterSeconds)
      return answer(response, plan.status, { message: `As this path asks for: ${request.url}` })
    case 'accept': {
      const receivedAt = new Date(now).toISOString()
      const kept = await store.add({ id: webhookId, type, receivedAt, body: body.toString('utf8') })
      refusals.forget(webhookId)
      steps.notify({ ...verified, status: 200, duplicate: kept === 'duplicate' })
      if (plan.delayMs > 0) await wait(plan.delayMs, undefined, { ref: false })
      return answer(response, 200, { message: kept })
    }
  }
}

export function answer(response: ServerResponse, status: number, content: Record<string, string>): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(content)}\n`)
}

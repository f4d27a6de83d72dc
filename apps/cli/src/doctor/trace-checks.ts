import type { Settings } from '@posthorn/process'
import { fail, ok, reasonOf, type Finding } from './check.js'

const NAME = 'traces'
const TIMEOUT_MS = 5_000

/** Whether the collector takes spans; none are sent to it. Nothing to look at where none are recorded. */
export async function traceChecks({ traceOtlpUrl: url }: Settings): Promise<Finding[]> {
  if (url === undefined) return []
  const { origin } = new URL(url)
  const here = 'This is about where doctor runs: run it where the services do.'
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"resourceSpans":[]}',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    await response.body?.cancel()
    if (response.ok) return [ok(NAME, `${origin} takes spans.`)]
    const advice = 'POSTHORN_TRACE_OTLP_URL must be the base URL of OTLP over HTTP, often at port 4318.'
    return [fail(NAME, `${origin} answers ${response.status} to spans.`, advice)]
  } catch (error) {
    return [fail(NAME, `${origin} cannot be reached: ${reasonOf(error)}.`, `Spans are lost meanwhile. ${here}`)]
  }
}

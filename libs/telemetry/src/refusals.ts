import { metrics } from '@opentelemetry/api'
import { fromZero } from './from-zero.js'

/** Counts the requests that a service did not let in, by the code of the error; a rise of key_invalid is somebody guessing. */
export function refusalCounter(service: 'ingest' | 'registry'): (code: string) => void {
  const refused = fromZero(
    metrics.getMeter('posthorn').createCounter(`posthorn_${service}_not_let_in`, {
      description: 'Requests and calls that were not let in, by the code of the error: key_invalid is a wrong key.',
    }),
    { code: 'key_invalid' },
  )
  return code => refused.add(1, { code })
}

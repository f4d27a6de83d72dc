import { metrics } from '@opentelemetry/api'

/** Counts the requests that a service did not let in, by the code of the error; a rise of key_invalid is somebody guessing. */
export function refusalCounter(service: 'ingest' | 'registry'): (code: string) => void {
  const refused = metrics.getMeter('posthorn').createCounter(`posthorn_${service}_not_let_in`, {
    description: 'Requests and calls that were not let in, by the code of the error: key_invalid is a wrong key.',
  })
  return code => refused.add(1, { code })
}

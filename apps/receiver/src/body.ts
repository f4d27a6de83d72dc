import type { IncomingMessage } from 'node:http'

/** Larger than any event of Posthorn: what is above it was not sent by Posthorn. */
export const MAX_BODY_BYTES = 2 * 1024 * 1024

/**
 * The bytes of the body, not parsed: they are what was signed. `too_large` as soon as that is known;
 * the rest is then read and thrown away, so that the sender gets to see the answer. Rejects when the
 * sender goes away in the middle.
 */
export async function readBody(request: IncomingMessage): Promise<Buffer | 'too_large'> {
  if (Number(request.headers['content-length']) > MAX_BODY_BYTES) return discard(request)
  const chunks: Buffer[] = []
  let bytes = 0
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk)
      else {
        request.removeAllListeners('data')
        resolve(discard(request))
      }
    })
    request.once('end', () => resolve(Buffer.concat(chunks)))
    request.once('error', reject)
  })
}

function discard(request: IncomingMessage): 'too_large' {
  request.on('error', () => undefined).resume()
  return 'too_large'
}

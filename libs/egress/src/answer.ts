import type { Readable } from 'node:stream'

/** More of an answer's body is of no use to anyone who looks at an attempt. */
export const MAX_CAPTURED_BYTES = 16 * 1024

/**
 * Reads a body to its end, or to the limit; what is beyond is not read: the connection is closed
 * instead. Rejects when the connection fails before either.
 */
export function capture(body: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    body.on('error', reject)
    body.on('end', () => resolve(Buffer.concat(chunks)))
    body.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size <= MAX_CAPTURED_BYTES) return
      resolve(Buffer.concat(chunks).subarray(0, MAX_CAPTURED_BYTES))
      body.destroy()
    })
  })
}

/** The body as text that any store takes (no NUL); undefined when it is empty or compressed (nothing asked for that). */
export function textOf(body: Buffer, encoding: string | undefined): string | undefined {
  if (body.length === 0 || (encoding !== undefined && encoding !== 'identity')) return undefined
  return body.toString('utf8').replaceAll('\u0000', '\ufffd')
}

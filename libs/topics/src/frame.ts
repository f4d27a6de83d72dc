/**
 * Internal records are one framed value:
 *
 *   frame   = version head-length head body
 *   version = %x01                     ; one byte
 *   head-length = 4OCTET               ; big-endian, bytes of the head
 *   head    = JSON object              ; unknown members are ignored, and kept when a record moves on
 *   body    = *OCTET                   ; the event's data, exactly as the producer sent it
 *
 * One value and no Kafka headers: kafkajs pays several microseconds for each header.
 */
export const FRAME_VERSION = 1
/** Versions end here: text and most foreign formats start above, and must not pass for a newer Posthorn. */
const MAX_VERSION = 15

export type Unframed =
  | { readonly kind: 'frame'; readonly head: Readonly<Record<string, unknown>>; readonly body: Buffer }
  /** Written by a newer version: not ours to judge, so the reader stops instead of dropping it. */
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'bad'; readonly detail: string }

export function frame(head: object, body: Uint8Array): Buffer {
  const json = Buffer.from(JSON.stringify(head))
  const value = Buffer.allocUnsafe(5 + json.length + body.length)
  value[0] = FRAME_VERSION
  value.writeUInt32BE(json.length, 1)
  json.copy(value, 5)
  value.set(body, 5 + json.length)
  return value
}

/** The body is a view of `value`: copy it where it outlives the fetch it came with. */
export function unframe(value: Buffer | null): Unframed {
  if (!value || value.length < 5)
    return { kind: 'bad', detail: `a frame has at least 5 bytes, this value has ${value?.length ?? 0}` }
  const version = value[0]!
  if (version === 0) return { kind: 'bad', detail: 'frame version 0 does not exist' }
  if (version > MAX_VERSION)
    return { kind: 'bad', detail: `the value starts with byte ${version}, which no frame does` }
  if (version > FRAME_VERSION) return { kind: 'newer', version }
  const end = 5 + value.readUInt32BE(1)
  if (end > value.length)
    return { kind: 'bad', detail: `the head should end at byte ${end}, but the value has ${value.length}` }
  try {
    const head: unknown = JSON.parse(value.toString('utf8', 5, end))
    if (typeof head !== 'object' || head === null || Array.isArray(head))
      return { kind: 'bad', detail: 'the head is not a JSON object' }
    return { kind: 'frame', head: head as Record<string, unknown>, body: value.subarray(end) }
  } catch (error) {
    return { kind: 'bad', detail: `the head is not JSON: ${(error as Error).message}` }
  }
}

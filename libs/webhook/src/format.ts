import { isJsonMediaType, type WebhookEvent } from './event.js'
import { binaryCloudEvent, structuredCloudEvent } from './format-cloudevents.js'
import { envelope } from './format-envelope.js'
import { headerMediaType, type Formattable, type Formatted } from './formatted.js'

/** How an event is written into a request. */
export const FORMATS = ['standard', 'cloudevents', 'cloudevents_binary', 'enveloped', 'raw', 'thin'] as const
export type Format = (typeof FORMATS)[number]

const JSON_TYPE = { 'content-type': 'application/json' } as const

/** The data is never parsed: where a body holds JSON data, it holds its very bytes. */
export function formatEvent(format: Format, given: Formattable): Formatted {
  const { data, delivery } = given
  const { event } = delivery
  switch (format) {
    case 'standard':
      return { headers: JSON_TYPE, body: standard(event, data) }
    case 'cloudevents':
      return structuredCloudEvent(event, data)
    case 'cloudevents_binary':
      return binaryCloudEvent(event, data)
    case 'enveloped':
      return { headers: JSON_TYPE, body: envelope(given) }
    case 'raw':
      return { headers: { 'content-type': headerMediaType(event.contenttype) }, body: data }
    case 'thin':
      return { headers: JSON_TYPE, body: thin(event, given.apiUrl) }
  }
}

/** The payload of Standard Webhooks, `{type, timestamp, data}`. */
function standard(event: WebhookEvent, data: Buffer): Buffer {
  const head = `{"type":${JSON.stringify(event.type)},"timestamp":${JSON.stringify(event.time)},`
  if (isJsonMediaType(event.contenttype))
    return Buffer.concat([Buffer.from(`${head}"data":`), data.length > 0 ? data : NULL, Buffer.from('}')])
  return Buffer.from(
    `${head}"data_base64":"${data.toString('base64')}","datacontenttype":${JSON.stringify(event.contenttype)}}`,
  )
}

const NULL = Buffer.from('null')

/** No data, but where it can be fetched. */
function thin({ type, time, id, source }: WebhookEvent, apiUrl: string): Buffer {
  const link = `${apiUrl}/v1/events/${encoded(id)}?source=${encoded(source)}`
  return Buffer.from(JSON.stringify({ type, timestamp: time, id, source, link }))
}

/** Half a surrogate pair, which encodeURIComponent throws at, comes out as U+FFFD, as it does in the history. */
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString())
}

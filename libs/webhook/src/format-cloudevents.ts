import { isJsonMediaType, type WebhookEvent } from './event.js'
import { headerMediaType, type Formatted } from './formatted.js'

const STRUCTURED = 'application/cloudevents+json; charset=utf-8'

/** Structured mode: one JSON object of attributes and data. */
export function structuredCloudEvent(event: WebhookEvent, data: Buffer): Formatted {
  const attributes = { specversion: '1.0', ...attributesOf(event), datacontenttype: event.contenttype }
  const head = JSON.stringify(attributes).slice(0, -1)
  const headers = { 'content-type': STRUCTURED }
  if (data.length === 0) return { headers, body: Buffer.from(`${head}}`) }
  if (!isJsonMediaType(event.contenttype))
    return { headers, body: Buffer.from(`${head},"data_base64":"${data.toString('base64')}"}`) }
  return { headers, body: Buffer.concat([Buffer.from(`${head},"data":`), data, Buffer.from('}')]) }
}

/** Binary mode: the attributes are headers, the data is the body. */
export function binaryCloudEvent(event: WebhookEvent, data: Buffer): Formatted {
  const attributes = { specversion: '1.0', ...attributesOf(event) }
  const headers = Object.entries(attributes).map(([name, value]) => [`ce-${name}`, headerValue(value)])
  return {
    headers: { ...Object.fromEntries(headers), 'content-type': headerMediaType(event.contenttype) },
    body: data,
  }
}

/** All but the media type; the tenant is none of CloudEvents'. */
function attributesOf(event: WebhookEvent): Record<string, string> {
  const { extensions, tenant: _tenant, contenttype: _contenttype, ...attributes } = event
  return { ...extensions, ...attributes }
}

/** By the HTTP binding of CloudEvents: space, quote, percent and all but printable ASCII are percent-encoded. */
function headerValue(text: string): string {
  return text.replace(/[^\x21\x23\x24\x26-\x7e]+/g, part =>
    Buffer.from(part)
      .toString('hex')
      .toUpperCase()
      .replace(/../g, byte => `%${byte}`),
  )
}

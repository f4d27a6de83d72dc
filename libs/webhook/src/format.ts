import { isJsonMediaType, type WebhookEvent } from './event.js'

/** How an event is written into the body of a request. */
export type Format = 'standard'

export interface FormattedBody {
  readonly contentType: string
  readonly body: Buffer
}

/**
 * The body of a request. `standard` is the payload of Standard Webhooks, `{type, timestamp, data}`:
 * JSON data stands in it byte for byte as the producer sent it, other data as `data_base64`.
 */
export function formatBody(format: Format, event: WebhookEvent, data: Buffer): FormattedBody {
  switch (format) {
    case 'standard': {
      const head = `{"type":${JSON.stringify(event.type)},"timestamp":${JSON.stringify(event.time)},`
      const body = isJsonMediaType(event.contenttype)
        ? Buffer.concat([Buffer.from(`${head}"data":`), data.length > 0 ? data : Buffer.from('null'), Buffer.from('}')])
        : Buffer.from(
            `${head}"data_base64":"${data.toString('base64')}","datacontenttype":${JSON.stringify(event.contenttype)}}`,
          )
      return { contentType: 'application/json', body }
    }
  }
}

import { Agent, request } from 'undici'
import type { Stack } from '@posthorn/testkit'
import { EVENT_TYPE } from './load.js'

export const CONNECTIONS = 32

export interface Publisher {
  /** Publishes one event with this data over HTTP; rejects unless it is accepted. */
  publish(data: Buffer): Promise<void>
  close(): Promise<void>
}

export function openPublisher({ publish, key }: Stack): Publisher {
  const dispatcher = new Agent({ connections: CONNECTIONS })
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return {
    async publish(data) {
      const body = Buffer.concat([Buffer.from(`{"type":"${EVENT_TYPE}","data":`), data, Buffer.from('}')])
      const answer = await request(`${publish}/v1/publish`, { method: 'POST', dispatcher, headers, body })
      if (answer.statusCode !== 202)
        throw new Error(`publish answered ${answer.statusCode}: ${await answer.body.text()}`)
      await answer.body.dump()
    },
    close: () => dispatcher.close(),
  }
}

import { randomBytes } from 'node:crypto'
import { ApiError, type Caller, type TestView, type TestWebhookBody } from '@posthorn/api'
import { BUILT_IN_EVENT_TYPES } from '@posthorn/catalogue'
import { ProducerClosed, ProduceTimeout, type SafeProducer } from '@posthorn/kafka'
import type { WebhookRow, Webhooks } from '@posthorn/store'
import { DELIVERIES, encodeDelivery } from '@posthorn/topics'
import { deliveryId, eventId, LIVE_RUN, patternsMatching, type Delivery, type WebhookEvent } from '@posthorn/webhook'
import type { EventTypeCases } from './event-types.js'
import type { TenantCases } from './tenants.js'
import { found } from './webhooks.js'

const ID = /^webhook_[0-9a-z]{26}$/
const SOURCE = '/v1/webhooks/test'
const ACKNOWLEDGE_MS = 9000

/** Sends sample events. They go to the one webhook alone, not over events.v1, where others would receive them too. */
export class WebhookTest {
  constructor(
    private readonly webhooks: Webhooks,
    private readonly tenants: Pick<TenantCases, 'require'>,
    private readonly types: Pick<EventTypeCases, 'example'>,
    private readonly producer: Pick<SafeProducer, 'send'>,
  ) {}

  /** Answers once the sample is on its way; its attempts are in the history. */
  async send(caller: Caller, id: string, body: TestWebhookBody): Promise<TestView> {
    const { tenant } = caller
    await this.tenants.require(tenant)
    const row = found(id, ID.test(id) ? await this.webhooks.get(tenant, id) : undefined)
    if (row.status === 'pending') throw new ApiError('webhook_pending', 'Nothing is sent to a pending webhook.')
    if (row.status !== 'active') throw new ApiError('webhook_disabled', `The webhook is ${row.status}.`)
    const event = sampleEvent(tenant, body.type ?? typeFor(row))
    const data = (await this.types.example(caller, event.type)) ?? { test: true }
    const delivery = deliveryOf(row, event)
    await this.acknowledged(delivery, Buffer.from(JSON.stringify(data)))
    const { id: eventIdentity, source, type, time } = event
    return { delivery: delivery.id, event: { id: eventIdentity, source, type, time, data } }
  }

  private async acknowledged(delivery: Delivery, data: Buffer): Promise<void> {
    try {
      await this.producer.send(DELIVERIES, encodeDelivery(delivery, data), { timeoutMs: ACKNOWLEDGE_MS })
    } catch (error) {
      if (!(error instanceof ProduceTimeout || error instanceof ProducerClosed)) throw error
      throw new ApiError('kafka_unavailable', 'Kafka did not take the sample; it may still be delivered.')
    }
  }
}

/** A built-in type that the webhook takes, else one that fits its first pattern. */
function typeFor({ events }: WebhookRow): string {
  const taken = BUILT_IN_EVENT_TYPES.find(one => patternsMatching(one.type).some(key => events.includes(key)))
  return taken?.type ?? events[0]!.replace(/\.\*$/, '.test')
}

function sampleEvent(tenant: string, type: string): WebhookEvent {
  const id = eventId(randomBytes(16))
  return { tenant, id, source: SOURCE, type, time: new Date().toISOString(), contenttype: 'application/json' }
}

function deliveryOf({ id, version }: WebhookRow, event: WebhookEvent): Delivery {
  return {
    id: deliveryId(event, id),
    webhook: id,
    webhookVersion: version,
    tenant: event.tenant,
    run: LIVE_RUN,
    attempt: 1,
    due: 0,
    acceptedAt: Date.now(),
    // It stands in no events topic.
    origin: { partition: -1, offset: -1 },
    spills: 0,
    event,
  }
}

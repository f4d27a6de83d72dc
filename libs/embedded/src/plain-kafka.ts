import { createRequire } from 'node:module'
import { Kafka, logLevel, type KafkaConfig } from 'kafkajs'

/** What is touched of kafkajs's request queue (src/network/requestQueue, 2.2.4). */
interface RequestQueue {
  readonly pending: readonly unknown[]
  readonly throttledUntil: number
  scheduleCheckPendingRequests(): void
}

let calmed = false

/** kafkajs sets a timer also when nothing waits, for a time long ago, of which Node warns. */
function calmKafkajs(): void {
  if (calmed) return
  calmed = true
  const require = createRequire(import.meta.url)
  const { prototype } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue }
  const { scheduleCheckPendingRequests } = prototype
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) scheduleCheckPendingRequests.call(this)
  }
}

/** A client for one machine, as plain as a producer of the user's own: that of the services is in libs/kafka. */
export function plainKafka(options: KafkaConfig): Kafka {
  calmKafkajs()
  return new Kafka({ logLevel: logLevel.NOTHING, ...options })
}

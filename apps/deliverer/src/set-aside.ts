import { ProducerClosed, type ConsumedRecord, type SafeProducer } from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import { POISON, poisonRecord, type PoisonReason } from '@posthorn/topics'
import type { DelivererMetrics } from './deliverer-metrics.js'
import type { OffsetOwner } from './work.js'

export interface AsideParts {
  readonly output: Pick<SafeProducer, 'send'>
  readonly metrics: Pick<DelivererMetrics, 'setAside'>
  readonly logger: Logger
  fatal(error: Error): void
}

/**
 * Sets a record aside in the poison topic, where it stops nothing and is not lost. Resolves with whether it
 * stands there: if not, the process ends, and the record is the next owner's.
 */
export async function setAside(
  record: ConsumedRecord,
  reason: PoisonReason,
  detail: string,
  { output, metrics, fatal }: AsideParts,
): Promise<boolean> {
  try {
    await output.send(POISON, poisonRecord(record, record.topic.name, { reason, detail }))
  } catch (error) {
    const place = `${record.topic.name}/${record.partition}/${record.offset}`
    if (!(error instanceof ProducerClosed))
      fatal(new Error(`the record at ${place} cannot be set aside`, { cause: error }))
    return false
  }
  metrics.setAside(reason)
  return true
}

/** Sets aside what is no delivery, and finishes its offset. */
export async function setAsideUndecodable(
  owner: OffsetOwner,
  record: ConsumedRecord,
  detail: string,
  parts: AsideParts,
): Promise<void> {
  const { topic, partition, offset } = record
  parts.logger.error(
    { alert: 'undecodable', topic: topic.name, partition, offset, detail },
    'this record is no delivery: it is set aside in the poison topic',
  )
  if (await setAside(record, 'undecodable', detail, parts)) owner.done(offset)
}

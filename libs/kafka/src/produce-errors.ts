/** The record can never be accepted: too large, or without a key on a compacted topic. */
export class RecordRefused extends Error {
  override readonly name = 'RecordRefused'
}

/** No acknowledgement within `timeoutMs`; the record may still arrive. */
export class ProduceTimeout extends Error {
  override readonly name = 'ProduceTimeout'
}

/** The producer was closed before the record was acknowledged; it may still have arrived. */
export class ProducerClosed extends Error {
  override readonly name = 'ProducerClosed'
}

import { Controller } from '@nestjs/common'
import { KafkaBatchHandler, type RecordBatch } from '@posthorn/kafka'
import { BULK, DELIVERIES, DUE } from '@posthorn/topics'
import { DeliveryLoop } from './delivery-loop.js'

/** Where deliveries come in: fresh ones, those whose time has come, and replays. */
@Controller()
export class DeliveriesEdge {
  constructor(private readonly loop: DeliveryLoop) {}

  @KafkaBatchHandler(DELIVERIES)
  onFresh(batch: RecordBatch): void {
    this.loop.enqueue(batch)
  }

  @KafkaBatchHandler(DUE)
  onDue(batch: RecordBatch): void {
    this.loop.enqueue(batch)
  }

  @KafkaBatchHandler(BULK)
  onBulk(batch: RecordBatch): void {
    this.loop.enqueue(batch)
  }
}

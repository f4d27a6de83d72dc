import { Controller } from '@nestjs/common'
import { KafkaBatchHandler, type RecordBatch } from '@posthorn/kafka'
import { EVENTS } from '@posthorn/topics'
import { RoutingLoop } from './routing-loop.js'

/** Where records of the events topic come in. */
@Controller()
export class EventsEdge {
  constructor(private readonly loop: RoutingLoop) {}

  @KafkaBatchHandler(EVENTS)
  onEvents(batch: RecordBatch): void {
    this.loop.enqueue(batch)
  }
}

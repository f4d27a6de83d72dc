import { Controller } from '@nestjs/common'
import { KafkaBatchHandler, type RecordBatch } from '@posthorn/kafka'
import { ATTEMPTS, DEAD_LETTERS, DELIVERIES, EVENTS, POISON } from '@posthorn/topics'
import { HistoryRecorder } from './record-history.js'

/** Where records of all the topics that history is made of come in. */
@Controller()
export class HistoryEdge {
  constructor(private readonly recorder: HistoryRecorder) {}

  @KafkaBatchHandler(EVENTS)
  onEvents(batch: RecordBatch): void {
    this.recorder.take(batch)
  }

  @KafkaBatchHandler(DELIVERIES)
  onDeliveries(batch: RecordBatch): void {
    this.recorder.take(batch)
  }

  @KafkaBatchHandler(ATTEMPTS)
  onAttempts(batch: RecordBatch): void {
    this.recorder.take(batch)
  }

  @KafkaBatchHandler(DEAD_LETTERS)
  onDeadLetters(batch: RecordBatch): void {
    this.recorder.take(batch)
  }

  @KafkaBatchHandler(POISON)
  onPoison(batch: RecordBatch): void {
    this.recorder.take(batch)
  }
}

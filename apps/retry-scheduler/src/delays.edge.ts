import { Controller } from '@nestjs/common'
import { KafkaBatchHandler, type RecordBatch } from '@posthorn/kafka'
import { DELAYS } from '@posthorn/topics'
import { ReleaseLoop } from './release-loop.js'

/** Where records of the delay topics come in; a method each, because Nest keeps one pattern per method. */
@Controller()
export class DelaysEdge {
  constructor(private readonly loop: ReleaseLoop) {}

  @KafkaBatchHandler(DELAYS['0s'])
  on0s(batch: RecordBatch): void {
    this.loop.accept(batch)
  }

  @KafkaBatchHandler(DELAYS['5s'])
  on5s(batch: RecordBatch): void {
    this.loop.accept(batch)
  }

  @KafkaBatchHandler(DELAYS['30s'])
  on30s(batch: RecordBatch): void {
    this.loop.accept(batch)
  }

  @KafkaBatchHandler(DELAYS['2m'])
  on2m(batch: RecordBatch): void {
    this.loop.accept(batch)
  }

  @KafkaBatchHandler(DELAYS['10m'])
  on10m(batch: RecordBatch): void {
    this.loop.accept(batch)
  }

  @KafkaBatchHandler(DELAYS['1h'])
  on1h(batch: RecordBatch): void {
    this.loop.accept(batch)
  }

  @KafkaBatchHandler(DELAYS['6h'])
  on6h(batch: RecordBatch): void {
    this.loop.accept(batch)
  }
}
